// SPDX-License-Identifier: MIT
// Packed weights come back from the cache as they went in; a damaged file, or another model's, is not used.
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <models/whisper/weight_cache.h>

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

const fs::path k_file = fs::temp_directory_path() / "tutti-weight-cache" / "a.weights";

std::vector<std::byte> bytes(std::size_t count, unsigned seed) {
    std::vector<std::byte> out(count);
    for (std::size_t i = 0; i < count; ++i)
        out[i] = static_cast<std::byte>((i * 2654435761u + seed) >> 7);
    return out;
}

// More than one piece of four megabytes, odd lengths, an empty one.
const std::size_t k_sizes[] = {5, 9'000'001, 0, 64};

bool write() {
    WeightCacheWriter writer(k_file, "name-1");
    for (const std::size_t size : k_sizes)
        writer.add(bytes(size, static_cast<unsigned>(size)));
    return writer.keep();
}
bool read(int threads = 2) {
    Runner runner(threads);
    auto reader = WeightCacheReader::open(k_file, "name-1");
    if (!reader) return false;
    bool same = true;
    for (const std::size_t size : k_sizes) {
        std::vector<std::byte> out(size);
        same = same && reader->next(out, runner) && out == bytes(size, static_cast<unsigned>(size));
    }
    std::vector<std::byte> more(1);
    CHECK_FALSE(reader->next(more, runner));
    return same;
}

} // namespace

TEST_CASE("weights from the cache") {
    fs::remove_all(k_file.parent_path());
    CHECK_FALSE(read());
    REQUIRE(write());
    CHECK(std::distance(fs::directory_iterator(k_file.parent_path()), fs::directory_iterator()) == 1);
    CHECK(read());
    CHECK(read(1));
    CHECK_FALSE(WeightCacheReader::open(k_file, "name-2").has_value());
    { // a piece asked for by another size
        Runner runner(1);
        std::vector<std::byte> out(6);
        CHECK_FALSE(WeightCacheReader::open(k_file, "name-1")->next(out, runner));
    }
    { // one bit
        std::fstream file(k_file, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(4'000'000);
        const char was = static_cast<char>(file.get());
        file.seekp(4'000'000);
        file.put(static_cast<char>(was ^ 1));
    }
    CHECK_FALSE(read());
    REQUIRE(write());
    for (const std::uintmax_t less : {1u, 24u, 100u, 1'000'000u}) {
        REQUIRE(write());
        fs::resize_file(k_file, fs::file_size(k_file) - less);
        CHECK_FALSE(read());
    }
    { // given up: nothing stays behind
        fs::remove(k_file);
        WeightCacheWriter writer(k_file, "name-1");
        writer.add(bytes(100, 1));
    }
    CHECK(fs::is_empty(k_file.parent_path()));
    fs::remove_all(k_file.parent_path());
}
