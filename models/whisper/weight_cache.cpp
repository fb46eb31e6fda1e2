// SPDX-License-Identifier: MIT
#include <models/whisper/weight_cache.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace tutti::models {
namespace {

namespace fs = std::filesystem;

// name, pieces, the table, its length and the name's, this word: read from the end.
constexpr std::uint64_t k_magic = 0x3130574954545554u; // "TUTTIW01"
constexpr std::size_t k_piece = std::size_t{4} << 20;  // read at once by one thread
constexpr std::uint64_t k_most_pieces = 1 << 16;

// Of words in any order: pieces may be added up on their own.
std::uint64_t sum_of(std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, 8);
        sum += word * 0x9e3779b97f4a7c15u ^ word >> 29;
    }
    for (; i < bytes.size(); ++i)
        sum += static_cast<std::uint64_t>(bytes[i]) * 0xff51afd7ed558ccdu;
    return sum;
}

} // namespace

std::string weight_cache_name(const std::string& checkpoint_key, Compute compute, const Kernels& kernels) {
    return checkpoint_key +
           (compute == Compute::int8   ? "-int8"
            : compute == Compute::bf16 ? "-bf16"
                                       : "-fp32") +
           "-panel" + std::to_string(kernels.panel) + (kernels.wide_rows ? "-wide" : "") + "-1";
}

std::optional<WeightCacheReader> WeightCacheReader::open(const fs::path& path, const std::string& name) {
    auto file = MappedFile::open(path);
    std::uint64_t tail[3];
    if (!file || file->bytes() < sizeof tail ||
        !file->read(file->bytes() - sizeof tail, std::as_writable_bytes(std::span(tail))))
        return std::nullopt;
    const auto [pieces, name_bytes, magic] = tail;
    const std::uint64_t table_bytes = pieces * sizeof(Piece);
    if (magic != k_magic || pieces > k_most_pieces || name_bytes != name.size() ||
        file->bytes() < sizeof tail + table_bytes + name_bytes)
        return std::nullopt;
    WeightCacheReader reader(std::move(file).value());
    std::string found(name.size(), '\0');
    const std::uint64_t table_at = reader.m_file.bytes() - sizeof tail - table_bytes;
    reader.m_pieces.resize(static_cast<std::size_t>(pieces));
    if (!reader.m_file.read(table_at, std::as_writable_bytes(std::span(reader.m_pieces))) ||
        !reader.m_file.read(table_at - name_bytes, std::as_writable_bytes(std::span(found))) || found != name)
        return std::nullopt;
    for (const Piece& piece : reader.m_pieces)
        if (piece.offset > table_at || piece.bytes > table_at - piece.offset) return std::nullopt;
    return reader;
}

bool WeightCacheReader::next(std::span<std::byte> out, Runner& runner) {
    if (m_at >= m_pieces.size() || m_pieces[m_at].bytes != out.size()) return false;
    const Piece& piece = m_pieces[m_at++];
    std::atomic<std::uint64_t> sum{0};
    std::atomic<bool> whole{true}; // both are read after the team has ended
    runner.each(static_cast<int>((out.size() + k_piece - 1) / k_piece), 1, [&](int i, int, int) {
        const std::size_t at = static_cast<std::size_t>(i) * k_piece;
        const auto part = out.subspan(at, std::min(k_piece, out.size() - at));
        if (!m_file.read(piece.offset + at, part)) whole.store(false, std::memory_order_relaxed);
        sum.fetch_add(sum_of(part), std::memory_order_relaxed);
    });
    return whole.load(std::memory_order_relaxed) && sum.load(std::memory_order_relaxed) == piece.sum;
}

WeightCacheWriter::WeightCacheWriter(fs::path path, std::string name)
    : m_path(std::move(path)), m_name(std::move(name)) {
    std::error_code error;
    fs::create_directories(m_path.parent_path(), error);
    m_part = m_path;
    m_part += ".part" + std::to_string(std::random_device()());
    m_out.open(m_part, std::ios::binary);
}

WeightCacheWriter::~WeightCacheWriter() {
    if (m_part.empty()) return;
    m_out.close();
    std::error_code error;
    fs::remove(m_part, error);
}

void WeightCacheWriter::add(std::span<const std::byte> piece) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < piece.size(); at += k_piece) // in the reader's parts, whose odd ends count apart
        sum += sum_of(piece.subspan(at, std::min(k_piece, piece.size() - at)));
    m_table.insert(m_table.end(), {m_end, piece.size(), sum});
    m_out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    m_end += piece.size();
}

bool WeightCacheWriter::keep() {
    m_out << m_name;
    m_out.write(reinterpret_cast<const char*>(m_table.data()), static_cast<std::streamsize>(m_table.size() * 8));
    const std::uint64_t tail[] = {m_table.size() / 3, m_name.size(), k_magic};
    m_out.write(reinterpret_cast<const char*>(tail), sizeof tail);
    m_out.close();
    std::error_code error;
    if (!m_out) return false; // the destructor takes it away
    fs::rename(m_part, m_path, error);
    if (error) return false;
    m_part.clear();
    return true;
}

} // namespace tutti::models
