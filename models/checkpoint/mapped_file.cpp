// SPDX-License-Identifier: MIT
#include <models/checkpoint/mapped_file.h>

#include <algorithm>
#include <mutex>
#include <string>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace tutti::models {

struct MappedFile::State {
    std::filesystem::path path;
    std::uint64_t bytes = 0;
    std::mutex mutex;
    const std::byte* mapped = nullptr;
#if defined(_WIN32)
    HANDLE file = INVALID_HANDLE_VALUE;
    HANDLE mapping = nullptr;
    FILETIME written{};
    ~State() {
        if (mapped) UnmapViewOfFile(mapped);
        if (mapping) CloseHandle(mapping);
        if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
    }
#else
    int file = -1;
    std::int64_t written_s = 0;
    std::int64_t written_ns = 0;
    ~State() {
        if (mapped) ::munmap(const_cast<std::byte*>(mapped), static_cast<std::size_t>(bytes));
        if (file >= 0) ::close(file);
    }
#endif
};

namespace {

Status unreadable(const std::filesystem::path& path, Code code, const std::string& why) {
    return Status(code, path.string() + ": " + why, "the checkpoint is not loaded",
                  "check the path and its permissions");
}

#if !defined(_WIN32)
void modified(const struct stat& info, std::int64_t& seconds, std::int64_t& nanoseconds) {
#if defined(__APPLE__)
    seconds = info.st_mtimespec.tv_sec;
    nanoseconds = info.st_mtimespec.tv_nsec;
#else
    seconds = info.st_mtim.tv_sec;
    nanoseconds = info.st_mtim.tv_nsec;
#endif
}
#endif

} // namespace

MappedFile::MappedFile(std::unique_ptr<State> state) : m_state(std::move(state)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

const std::filesystem::path& MappedFile::path() const noexcept {
    return m_state->path;
}
std::uint64_t MappedFile::bytes() const noexcept {
    return m_state->bytes;
}

#if defined(_WIN32)

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->file = CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_RANDOM_ACCESS, nullptr);
    if (state->file == INVALID_HANDLE_VALUE) return unreadable(path, Code::file_not_found, "cannot be opened");
    LARGE_INTEGER size{};
    if (GetFileType(state->file) != FILE_TYPE_DISK || !GetFileSizeEx(state->file, &size))
        return unreadable(path, Code::file_unreadable, "is not an ordinary file");
    state->bytes = static_cast<std::uint64_t>(size.QuadPart);
    GetFileTime(state->file, nullptr, nullptr, &state->written);
    return MappedFile(std::move(state));
}

Status MappedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        OVERLAPPED at{};
        at.Offset = static_cast<DWORD>(offset);
        at.OffsetHigh = static_cast<DWORD>(offset >> 32);
        const DWORD wanted = static_cast<DWORD>(std::min<std::size_t>(out.size(), 1u << 30));
        DWORD got = 0;
        if (!ReadFile(m_state->file, out.data(), wanted, &got, &at) && GetLastError() != ERROR_HANDLE_EOF)
            return unreadable(m_state->path, Code::file_unreadable, "cannot be read");
        if (got == 0) return unreadable(m_state->path, Code::truncated, "has become shorter while it was read");
        offset += got;
        out = out.subspan(got);
    }
    return {};
}

Result<std::span<const std::byte>> MappedFile::map() const {
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->mapped) {
        m_state->mapping = CreateFileMappingW(m_state->file, nullptr, PAGE_READONLY, 0, 0, nullptr);
        if (m_state->mapping)
            m_state->mapped = static_cast<const std::byte*>(MapViewOfFile(m_state->mapping, FILE_MAP_READ, 0, 0, 0));
        if (!m_state->mapped) return unreadable(m_state->path, Code::out_of_memory, "cannot be mapped");
    }
    return std::span<const std::byte>(m_state->mapped, static_cast<std::size_t>(m_state->bytes));
}

bool MappedFile::unchanged() const noexcept {
    LARGE_INTEGER size{};
    FILETIME written{};
    return GetFileSizeEx(m_state->file, &size) && static_cast<std::uint64_t>(size.QuadPart) == m_state->bytes &&
           GetFileTime(m_state->file, nullptr, nullptr, &written) && CompareFileTime(&written, &m_state->written) == 0;
}

void MappedFile::release(std::uint64_t, std::uint64_t) const noexcept {}

#else

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    // O_NONBLOCK: a pipe in the folder must not hang the loader.
    state->file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (state->file < 0)
        return unreadable(path, errno == ENOENT ? Code::file_not_found : Code::file_unreadable, std::strerror(errno));
    struct stat info {};
    if (::fstat(state->file, &info) != 0 || !S_ISREG(info.st_mode))
        return unreadable(path, Code::file_unreadable, "is not an ordinary file");
    state->bytes = static_cast<std::uint64_t>(info.st_size);
    modified(info, state->written_s, state->written_ns);
    return MappedFile(std::move(state));
}

Status MappedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const auto got =
            ::pread(m_state->file, out.data(), std::min<std::size_t>(out.size(), 1u << 30), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unreadable(m_state->path, Code::file_unreadable, std::strerror(errno));
        if (got == 0) return unreadable(m_state->path, Code::truncated, "has become shorter while it was read");
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

Result<std::span<const std::byte>> MappedFile::map() const {
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->mapped && m_state->bytes > 0) {
        void* address =
            ::mmap(nullptr, static_cast<std::size_t>(m_state->bytes), PROT_READ, MAP_PRIVATE, m_state->file, 0);
        if (address == MAP_FAILED) return unreadable(m_state->path, Code::out_of_memory, std::strerror(errno));
        m_state->mapped = static_cast<const std::byte*>(address);
    }
    return std::span<const std::byte>(m_state->mapped, static_cast<std::size_t>(m_state->bytes));
}

bool MappedFile::unchanged() const noexcept {
    struct stat info {};
    if (::fstat(m_state->file, &info) != 0) return false;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    modified(info, seconds, nanoseconds);
    return static_cast<std::uint64_t>(info.st_size) == m_state->bytes && seconds == m_state->written_s &&
           nanoseconds == m_state->written_ns;
}

void MappedFile::release(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    if (!m_state->mapped) return;
    const std::uint64_t page = 4096;
    const std::uint64_t first = (offset + page - 1) / page * page;
    const std::uint64_t last = (offset + bytes) / page * page;
    if (last > first)
        ::madvise(const_cast<std::byte*>(m_state->mapped) + first, static_cast<std::size_t>(last - first),
                  MADV_DONTNEED);
}

#endif

} // namespace tutti::models
