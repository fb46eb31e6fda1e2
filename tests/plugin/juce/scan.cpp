// SPDX-License-Identifier: MIT
// What a host's scan costs: load the VST3's library, take its factory, describe every class. Afterwards nothing of a GPU or a model
// may be loaded and no socket open; `--plant` opens one, which must be found.
//
//   tutti_plugin_scan LIBRARY [--plant]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <dlfcn.h>
#include <sys/socket.h>

namespace {

// Steinberg's IPluginFactory as the binary interface has it: three functions of FUnknown, then its own.
struct ClassInfo {
    char id[16];
    std::int32_t cardinality;
    char category[32];
    char name[64];
};
struct Factory;
struct FactoryTable {
    std::int32_t (*query)(Factory*, const char*, void**);
    std::uint32_t (*add)(Factory*);
    std::uint32_t (*release)(Factory*);
    std::int32_t (*info)(Factory*, void*);
    std::int32_t (*count)(Factory*);
    std::int32_t (*class_info)(Factory*, std::int32_t, ClassInfo*);
};
struct Factory {
    const FactoryTable* table;
};

int forbidden() {
    int found = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        for (const char* name : {"libcuda", "libnvrtc", "libnvidia", "libtorch", "libhip", "libcurl"})
            if (line.find(name) != std::string::npos) {
                std::printf("loaded: %s\n", line.c_str());
                ++found;
            }
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
        // What was open before the program began is not ours.
        if (std::stoi(entry.path().filename().string()) < 3) continue;
        if (target.rfind("socket:", 0) == 0 || target.rfind("/dev/nvidia", 0) == 0 ||
            target.rfind("/dev/dri", 0) == 0) {
            std::printf("open: %s\n", target.c_str());
            ++found;
        }
    }
    return found;
}

} // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fputs("usage: tutti_plugin_scan LIBRARY [--plant]\n", stderr);
        return 64;
    }
    const int before = forbidden();
    const auto begin = std::chrono::steady_clock::now();
    void* const library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::printf("%s\n", dlerror());
        return 1;
    }
    const auto enter = reinterpret_cast<bool (*)(void*)>(dlsym(library, "ModuleEntry"));
    const auto leave = reinterpret_cast<bool (*)()>(dlsym(library, "ModuleExit"));
    const auto get = reinterpret_cast<Factory* (*)()>(dlsym(library, "GetPluginFactory"));
    if (enter == nullptr || leave == nullptr || get == nullptr || !enter(library)) return 1;
    Factory* const factory = get();
    int classes = 0;
    bool instrument = false;
    for (std::int32_t i = 0; i < factory->table->count(factory); ++i) {
        ClassInfo info{};
        if (factory->table->class_info(factory, i, &info) != 0) continue;
        ++classes;
        if (std::strcmp(info.category, "Audio Module Class") == 0 && std::strcmp(info.name, "Tutti") == 0)
            instrument = true;
    }
    const double spent = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    if (count > 2 && std::strcmp(words[2], "--plant") == 0 && socket(AF_INET, SOCK_STREAM, 0) < 0) return 1;
    const int found = forbidden() - before;
    factory->table->release(factory);
    leave();
    std::printf("scan: load, factory, %d classes described in %.1f ms (bar: 100 ms); %d forbidden\n", classes, spent,
                found);
    return instrument && found == 0 ? 0 : 2;
}
