#include "host/plugins/plugin_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

namespace backplane::host {
namespace {

namespace fs = std::filesystem;

std::string mode_text(mode_t mode) {
  const char digits[] = {'0', static_cast<char>('0' + ((mode >> 6) & 7)), static_cast<char>('0' + ((mode >> 3) & 7)),
                         static_cast<char>('0' + (mode & 7)), '\0'};
  return digits;
}

/// Empty when nobody but a trusted owner may change it. A group may only if it may change the host's program too.
std::string distrust(const struct stat& s, const struct stat& program) {
  if (s.st_uid != 0 && s.st_uid != geteuid() && s.st_uid != program.st_uid) {
    return "it belongs to user id " + std::to_string(s.st_uid) +
           ", who is neither root, nor the user that runs backplane, nor the owner of its program";
  }
  if ((s.st_mode & S_IWOTH) != 0) return "everybody may write it (mode " + mode_text(s.st_mode) + ")";
  const bool group_is_trusted = (program.st_mode & S_IWGRP) != 0 && program.st_gid == s.st_gid;
  if ((s.st_mode & S_IWGRP) != 0 && !group_is_trusted) {
    return "its group " + std::to_string(s.st_gid) + " may write it (mode " + mode_text(s.st_mode) + ")";
  }
  return {};
}

/// Empty when it is a shared object for this machine.
std::string not_loadable(int descriptor) {
  Elf64_Ehdr header{};
  if (pread(descriptor, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    return "it is too short to be a shared object";
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "it is no ELF file";
#if defined(__x86_64__)
  constexpr Elf64_Half machine = EM_X86_64;
#elif defined(__aarch64__)
  constexpr Elf64_Half machine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != machine) return "it is made for another machine";
  if (header.e_type != ET_DYN) return "it is no shared object";
  return {};
}

/// The loader's own words. Boost.DLL ends every message with the text of an unrelated errno.
std::string loader_message(const std::exception& e, const std::string& loaded_as, const fs::path& object) {
  std::string text = e.what();
  if (const auto at = text.find(loaded_as); at != std::string::npos) text = text.substr(at);
  if (const auto at = text.rfind(": Bad file descriptor"); at != std::string::npos) text.erase(at);
  for (auto at = text.find(loaded_as); at != std::string::npos; at = text.find(loaded_as))
    text.replace(at, loaded_as.size(), object.string());
  return text;
}

class Loading {
 public:
  Loading(const PluginFile& file, Faults& faults) : file_(file), faults_(faults) {}
  ~Loading() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  const plugin::Entry* run() {
    if (!check_file()) return nullptr;
    const plugin::Entry* entry = load();
    return entry != nullptr && check_entry(*entry) ? entry : nullptr;
  }

 private:
  std::nullptr_t fault(std::string what, std::string detail, std::string fix) {
    faults_.push_back({"plugin " + file_.manifest.name + ": " + std::move(what), std::move(detail), std::move(fix),
                       file_.object.string(), 0});
    return nullptr;
  }

  bool check_file() {
    struct stat program {
    }, object{}, folder{};
    if (stat("/proc/self/exe", &program) != 0) program.st_uid = geteuid();
    descriptor_ = open(file_.object.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0 || fstat(descriptor_, &object) != 0 || stat(file_.object.parent_path().c_str(), &folder) != 0) {
      fault("its object cannot be opened", std::strerror(errno), "install the plugin again, or remove its manifest");
      return false;
    }
    if (std::string why = distrust(object, program); !why.empty()) {
      fault("its object cannot be trusted", why,
            "chown it to root and chmod it to 0755, after you have made sure that it is the right file");
      return false;
    }
    if (std::string why = distrust(folder, program); !why.empty()) {
      fault("its folder cannot be trusted", file_.object.parent_path().string() + ": " + why,
            "chown the folder to root and chmod it to 0755");
      return false;
    }
    if (std::string why = not_loadable(descriptor_); !why.empty()) {
      fault("its object cannot be loaded", why, "install the plugin built for this system");
      return false;
    }
    return true;
  }

  const plugin::Entry* load() {
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
    try {
      using boost::dll::load_mode::type;
      boost::dll::shared_library library(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
      // The destructor of this library handle must not unload it: ours are linked with -z nodelete, others may not be.
      (void)dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
      descriptor_ = -1;  // stays open: the loader knows the object by this name, and the number must not be used again
      if (!library.has("backplane_plugin_entry")) {
        return fault("its object is no plugin", "it has no symbol backplane_plugin_entry",
                     "write BACKPLANE_PLUGIN(Class) in one of its sources");
      }
      return &library.get<const plugin::Entry>("backplane_plugin_entry");
    } catch (const std::exception& e) {
      return fault("its object cannot be loaded", loader_message(e, path, file_.object),
                   "install what it needs, or build it against this SDK");
    }
  }

  bool check_entry(const plugin::Entry& entry) {
    if (entry.magic != plugin::entry_magic) {
      fault("its object is no plugin", "its entry has another form", "build it with backplane_add_plugin()");
      return false;
    }
    // Before the size, which may be another one there.
    if (entry.abi_major != plugin::abi_major || entry.abi_minor > plugin::abi_minor) {
      fault("it is built for another version of the SDK",
            "its ABI is " + std::to_string(entry.abi_major) + "." + std::to_string(entry.abi_minor) +
                ", this host has " + std::to_string(plugin::abi_major) + "." + std::to_string(plugin::abi_minor),
            "build it against this host's SDK (version " BACKPLANE_SDK_VERSION "), or install the version made for it");
      return false;
    }
    const bool uses_component_interfaces =
        std::any_of(file_.manifest.requires_.begin(), file_.manifest.requires_.end(),
                    [](const plugin::Requirement& r) { return r.interface_id.starts_with("backplane."); });
    if (uses_component_interfaces && std::string_view(entry.sdk_version) != BACKPLANE_SDK_VERSION) {
      fault("it uses component interfaces of another version",
            std::string("it was built with SDK ") + entry.sdk_version, "build it against SDK " BACKPLANE_SDK_VERSION);
      return false;
    }
    if (file_.manifest.sha256 != entry.manifest_sha256) {
      fault("its manifest differs from its object",
            file_.manifest_path.string() + " is not the text that the object was built with",
            "install both files from the same build");
      return false;
    }
    return true;
  }

  const PluginFile& file_;
  Faults& faults_;
  int descriptor_ = -1;
};

}  // namespace

std::vector<PluginFile> discover_plugins(const std::vector<fs::path>& folders, Faults& faults) {
  std::vector<PluginFile> found;
  for (const fs::path& folder : folders) {
    std::error_code error;
    std::set<fs::path> manifests;  // in a fixed order
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".json") manifests.insert(entry.path());
    }
    if (error) {
      faults.push_back({"a folder of plugins cannot be read", error.message(),
                        "correct plugin_dirs in the configuration", folder.string(), 0});
      continue;
    }
    for (const fs::path& path : manifests) {
      std::ifstream in(path, std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(in)), {});
      auto manifest = plugin::parse_manifest(text);
      if (!manifest) {
        faults.push_back({"a plugin's manifest cannot be used", manifest.error().text,
                          "correct it, or remove the plugin", path.string(), 0});
        continue;
      }
      const auto twin = std::find_if(found.begin(), found.end(),
                                     [&](const PluginFile& f) { return f.manifest.name == manifest->name; });
      if (twin != found.end()) {
        faults.push_back({"plugin " + manifest->name + " is there twice", "also as " + twin->manifest_path.string(),
                          "remove one of them", path.string(), 0});
        continue;
      }
      found.push_back({fs::path(path).replace_extension(".so"), path, std::move(*manifest)});
    }
  }
  return found;
}

const plugin::Entry* load_plugin(const PluginFile& file, Faults& faults) { return Loading(file, faults).run(); }

}  // namespace backplane::host
