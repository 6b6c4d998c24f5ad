// A cache bounded in bytes that forgets what was used longest ago. Values are shared and immutable, so that a reader
// keeps what it got after it was evicted. Any thread (one mutex; split by key where that shows in a profile).
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace backplane {

template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedCache {
 public:
  using Pointer = std::shared_ptr<const Value>;
  explicit BoundedCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Empty when it is not here.
  Pointer find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    return it->second->value;
  }

  /// `bytes` is what the entry costs, key and value together; one that is larger than the cache is not kept.
  void insert(const Key& key, Pointer value, std::size_t bytes) {
    std::list<Entry> dropped;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    if (const auto it = index_.find(key); it != index_.end()) remove(it, dropped);
    if (bytes > max_bytes_) return;
    order_.push_front(Entry{key, std::move(value), bytes});
    index_.emplace(key, order_.begin());
    bytes_ += bytes;
    while (bytes_ > max_bytes_) remove(index_.find(order_.back().key), dropped);
  }

  void erase(const Key& key) {
    std::list<Entry> dropped;
    const std::lock_guard lock(mutex_);
    if (const auto it = index_.find(key); it != index_.end()) remove(it, dropped);
  }

  void clear() {
    std::list<Entry> dropped;
    const std::lock_guard lock(mutex_);
    index_.clear();
    dropped.swap(order_);
    bytes_ = 0;
  }

  std::size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return index_.size();
  }

 private:
  struct Entry {
    Key key;
    Pointer value;
    std::size_t bytes;
  };
  using Index = std::unordered_map<Key, typename std::list<Entry>::iterator, Hash>;

  void remove(typename Index::iterator it, std::list<Entry>& dropped) {
    bytes_ -= it->second->bytes;
    dropped.splice(dropped.begin(), order_, it->second);
    index_.erase(it);
  }

  mutable std::mutex mutex_;
  std::list<Entry> order_;
  Index index_;
  std::size_t bytes_ = 0;
  const std::size_t max_bytes_;
};

}  // namespace backplane
