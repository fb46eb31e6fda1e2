// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4) of a file or of bytes, as 64 hexadecimal digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <tutti/status.h>

namespace tutti::models {

class Sha256 {
public:
    void add(std::span<const std::byte> bytes) noexcept;
    std::string digest(); // ends the message

private:
    void block(const std::uint8_t* bytes) noexcept;
    std::array<std::uint32_t, 8> m_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> m_pending{};
    std::uint64_t m_bytes = 0;
};

// [worker]
Result<std::string> sha256_of_file(const std::filesystem::path& path);

} // namespace tutti::models
