// Compares a text with tests/golden/<name>, exactly. With BACKPLANE_UPDATE_GOLDEN set, writes that file instead.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace backplane::testing_support {

/// `path` is relative to the source tree's root.
inline void expect_file(const std::string& path, std::string_view text) {
  const std::string file = std::string(BACKPLANE_SOURCE_DIR "/") + path;
  if (std::getenv("BACKPLANE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  std::ifstream in(file, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, expected) << "the text differs from " << path
                            << "; if it should, run this test with BACKPLANE_UPDATE_GOLDEN=1";
}

inline void expect_golden(const std::string& name, std::string_view text) { expect_file("tests/golden/" + name, text); }

/// Every `what` in the text replaced, so that folders of the test's own do not show.
inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace backplane::testing_support
