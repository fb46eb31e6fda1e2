// SPDX-License-Identifier: MIT
#include "io/unfinished_file.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <system_error>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include "io/audio_file.h"

namespace tutti::io {

namespace {

namespace fs = std::filesystem;

// Names that a signal handler can read without a lock: a slot is claimed, filled, then shown (release); the handler reads
// only what is shown (acquire). Files beyond the last slot are still removed by their owners.
constexpr int k_slots = 32;
constexpr std::size_t k_name = 4096;
enum : int { k_free, k_claimed, k_shown };
std::atomic<int> slot_state[k_slots];
char slot_name[k_slots][k_name];
static_assert(std::atomic<int>::is_always_lock_free);

int show(const fs::path& path) {
    const std::string name = path.string();
    if (name.size() >= k_name) return -1;
    for (int i = 0; i < k_slots; ++i) {
        int expected = k_free;
        if (!slot_state[i].compare_exchange_strong(expected, k_claimed, std::memory_order_acquire)) continue;
        std::memcpy(slot_name[i], name.c_str(), name.size() + 1);
        slot_state[i].store(k_shown, std::memory_order_release);
        return i;
    }
    return -1;
}

void hide(int& slot) noexcept {
    if (slot >= 0) slot_state[slot].store(k_free, std::memory_order_release);
    slot = -1;
}

Status unwritable(const fs::path& target, const std::string& why) {
    return {Code::file_unwritable, target.string() + ": " + why, "nothing was written there",
            "choose a place where you may write and that has space left"};
}

} // namespace

void remove_unfinished_files() noexcept {
    for (int i = 0; i < k_slots; ++i) {
        if (slot_state[i].load(std::memory_order_acquire) != k_shown) continue;
#if defined(_WIN32)
        (void)::_unlink(slot_name[i]);
#else
        (void)::unlink(slot_name[i]);
#endif
    }
}

Result<UnfinishedFile> UnfinishedFile::create(const fs::path& target) {
    std::error_code error;
    UnfinishedFile file;
    file.m_target = target;
    const auto kind = fs::status(target, error);
    if (target.empty() || fs::is_directory(kind)) return unwritable(target, "is a folder, not a file");
    if (fs::exists(kind) && !fs::is_regular_file(kind)) {
        file.m_path = target;
        file.m_in_place = true;
        return file;
    }
    // Behind a link stands the file that is meant.
    if (fs::exists(kind)) file.m_target = fs::canonical(target, error);
    if (error) file.m_target = target;
    const fs::path folder = file.m_target.parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error))
        return unwritable(target, "the folder " + folder.string() + " does not exist");
    std::random_device random;
    char ending[32];
    std::snprintf(ending, sizeof ending, ".%08x.part", static_cast<unsigned>(random()));
    // 200 and the ending stay below the 255 bytes that file systems allow.
    std::string name = ".";
    name.append(file.m_target.filename().string(), 0, 200).append(ending);
    file.m_path = folder / name;
    std::FILE* handle = std::fopen(file.m_path.string().c_str(), "wbx");
    if (!handle) return unwritable(target, std::strerror(errno));
    std::fclose(handle);
    file.m_slot = show(file.m_path);
    return file;
}

UnfinishedFile::UnfinishedFile(UnfinishedFile&& other) noexcept {
    *this = std::move(other);
}

UnfinishedFile& UnfinishedFile::operator=(UnfinishedFile&& other) noexcept {
    if (this != &other) {
        discard();
        m_target = std::exchange(other.m_target, {});
        m_path = std::exchange(other.m_path, {});
        m_in_place = other.m_in_place;
        m_slot = std::exchange(other.m_slot, -1);
    }
    return *this;
}

UnfinishedFile::~UnfinishedFile() {
    discard();
}

Status UnfinishedFile::keep() {
    std::error_code error;
    if (!m_in_place && !m_path.empty()) fs::rename(m_path, m_target, error);
    if (error) {
        discard();
        return unwritable(m_target, error.message());
    }
    hide(m_slot);
    m_path.clear();
    return {};
}

void UnfinishedFile::discard() noexcept {
    std::error_code error;
    if (!m_in_place && !m_path.empty()) fs::remove(m_path, error);
    hide(m_slot);
    m_path.clear();
}

} // namespace tutti::io
