// SPDX-License-Identifier: MIT
#include "gpu/torch/library.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

namespace tutti::gpu {
namespace {

constexpr const char* k_file = "libtutti_torch.so";
std::atomic<bool> is_open{false};
static_assert(std::atomic<bool>::is_always_lock_free);

Status missing(const std::string& what) {
    return Status(
        Code::unsupported, what, "voices stay on the CPU backend",
        "build with TUTTI_BUILD_TORCH=ON (cmake/fetch_torch.py fetches libtorch), or set TUTTI_TORCH_LIBRARY");
}

Result<const TorchTable*> open_library() {
#if defined(_WIN32)
    return missing("the torch backend is not loaded on Windows");
#else
    std::vector<std::string> places;
    if (const char* const named = std::getenv("TUTTI_TORCH_LIBRARY"); named != nullptr && *named != '\0') {
        std::error_code none;
        places.push_back(std::filesystem::is_directory(named, none) ? std::string(named) + "/" + k_file : named);
    } else {
        std::error_code none;
        const auto program = std::filesystem::read_symlink("/proc/self/exe", none);
        if (!none) {
            places.push_back((program.parent_path() / k_file).string());
            places.push_back((program.parent_path().parent_path() / "lib" / "tutti" / k_file).string());
        }
    }
    std::string why = "this build has no torch backend";
    for (const std::string& place : places) {
        std::error_code none;
        if (!std::filesystem::exists(place, none)) continue;
        void* const library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            why = std::string("the torch backend cannot be loaded: ") + dlerror();
            continue;
        }
        const auto table = reinterpret_cast<const TorchTable* (*)(int)>(dlsym(library, "tutti_torch_table"));
        const TorchTable* const all = table == nullptr ? nullptr : table(k_torch_interface);
        if (all == nullptr) {
            why = place + " is of another version";
            continue;
        }
        is_open.store(true, std::memory_order_release);
        return all;
    }
    return missing(why);
#endif
}

} // namespace

Result<const TorchTable*> torch_library() {
    static const Result<const TorchTable*> opened = open_library();
    return opened;
}
bool torch_library_is_open() noexcept {
    return is_open.load(std::memory_order_acquire); // pairs with the store in open_library()
}

} // namespace tutti::gpu
