// The one symbol that a plugin exports. Its first 16 bytes never change, so that any host can tell what it has before
// it runs anything. Write BACKPLANE_PLUGIN(Class) once, at namespace scope, for a Class with a constructor that takes
// a Host&; backplane_add_plugin() in CMake does the rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backplane/plugin/plugin.h"

namespace backplane::plugin {

inline constexpr std::uint64_t entry_magic = 0x314e4c504b434142;  // "BACKPLN1"
/// Raised when the surface for plugins changes incompatibly / compatibly.
inline constexpr std::uint16_t abi_major = 1;
inline constexpr std::uint16_t abi_minor = 0;

struct Entry {
  std::uint64_t magic;
  std::uint32_t size;  ///< of this struct, as compiled
  std::uint16_t abi_major;
  std::uint16_t abi_minor;
  const char* sdk_version;
  const char* build;  ///< compiler and standard library
  const char* manifest;
  const char* manifest_sha256;
  Plugin* (*create)(Host& host);
  void (*destroy)(Plugin* plugin);
};
static_assert(offsetof(Entry, sdk_version) == 16);

/// Arrays, so that the entry is a constant and needs no code to be run.
extern const char manifest_text[];
extern const char manifest_sha256[];

}  // namespace backplane::plugin

#define BACKPLANE_SDK_VERSION "0.1.0"
#define BACKPLANE_BUILD_STAMP "g++ " __VERSION__

#define BACKPLANE_PLUGIN(Class)                                                                              \
  extern "C" __attribute__((visibility("default"))) const ::backplane::plugin::Entry backplane_plugin_entry; \
  const ::backplane::plugin::Entry backplane_plugin_entry = {                                                \
      ::backplane::plugin::entry_magic,                                                                      \
      sizeof(::backplane::plugin::Entry),                                                                    \
      ::backplane::plugin::abi_major,                                                                        \
      ::backplane::plugin::abi_minor,                                                                        \
      BACKPLANE_SDK_VERSION,                                                                                 \
      BACKPLANE_BUILD_STAMP,                                                                                 \
      ::backplane::plugin::manifest_text,                                                                    \
      ::backplane::plugin::manifest_sha256,                                                                  \
      [](::backplane::plugin::Host& host) -> ::backplane::plugin::Plugin* { return new Class(host); },       \
      [](::backplane::plugin::Plugin* plugin) { delete plugin; },                                            \
  };                                                                                                         \
  static_assert(true)
