// SPDX-License-Identifier: MIT
// What holds of HeartCodec without reference data, on the tiny checkpoint of the reference data.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include <models/heartcodec/codec.h>
#include <models/heartcodec/gate.h>

using namespace tutti;
using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

const fs::path k_folder = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/heartcodec/small/HeartCodec-oss";

HeartCodec opened(int threads = 1) {
    auto codec = HeartCodec::open(k_folder, threads);
    REQUIRE_MESSAGE(codec.ok(), codec.status().message());
    return std::move(codec).value();
}

std::vector<std::int32_t> random_codes(int frames, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::int32_t> codes(static_cast<std::size_t>(8 * frames));
    for (auto& code : codes)
        code = static_cast<std::int32_t>(random() % 64);
    return codes;
}

struct Sound {
    std::vector<float> left, right;
    int pieces = 0;
    bool operator==(const Sound& other) const { // bits
        return left.size() == other.left.size() && right.size() == other.right.size() &&
               std::memcmp(left.data(), other.left.data(), left.size() * sizeof(float)) == 0 &&
               std::memcmp(right.data(), other.right.data(), right.size() * sizeof(float)) == 0;
    }
};
SoundSink into(Sound& sound) {
    return [&sound](std::span<const float> left, std::span<const float> right) {
        sound.left.insert(sound.left.end(), left.begin(), left.end());
        sound.right.insert(sound.right.end(), right.begin(), right.end());
        ++sound.pieces;
        return Status();
    };
}

CodecOptions quick() {
    CodecOptions options;
    options.steps = 2;
    options.window_seconds = 7.44;
    options.seed = 5;
    return options;
}

// Pieces of `piece` frames; 0: all at once.
Sound decoded(HeartCodec& codec, const std::vector<std::int32_t>& codes, const CodecOptions& options, int piece) {
    Sound sound;
    auto stream = CodecStream::make(codec, options, into(sound));
    REQUIRE(stream.ok());
    const std::size_t step = piece > 0 ? static_cast<std::size_t>(8 * piece) : codes.size();
    for (std::size_t at = 0; at < codes.size(); at += step)
        REQUIRE(stream->push(std::span(codes).subspan(at, std::min(step, codes.size() - at))).ok());
    REQUIRE(stream->finish().ok());
    CHECK(stream->samples() == static_cast<std::int64_t>(sound.left.size()));
    CHECK(stream->codes() == static_cast<int>(codes.size() / 8));
    return sound;
}

} // namespace

TEST_CASE("windows lie where the reference has them, and every length is whole by default") {
    const HeartCodecConfig published;
    CodecOptions options;
    const CodecSchedule usual = *CodecSchedule::make(options, published);
    CHECK(usual.window(0).codes == 372);
    CHECK(usual.window(3).first == 960);
    CHECK(usual.window(3).overlap == 52);
    for (const auto& [codes, windows] :
         {std::pair(1, 1), {372, 1}, {373, 2}, {692, 2}, {693, 3}, {3000, 10}, {424, 2}, {744, 3}})
        CHECK(usual.windows(codes) == windows);
    CHECK(usual.samples(3000) == 240 * 48000);
    CHECK(usual.samples(253) == 253 * 3840);
    options.strict = true;
    const CodecSchedule strict = *CodecSchedule::make(options, published);
    for (const auto& [codes, windows] :
         {std::pair(1, 1), {372, 1}, {373, 2}, {692, 2}, {3000, 10}, {424, 1}, {744, 2}, {1064, 3}})
        CHECK(strict.windows(codes) == windows);
    CHECK(strict.samples(424) == 1428480); // 29.76 s
    CHECK(strict.samples(744) == 2657280); // 55.36 s
    int shorter = 0;
    for (int n = 1; n <= 3001; ++n) {
        const bool lost = n >= 424 && (n - 104) % 320 == 0;
        shorter += !lost && strict.samples(n) < static_cast<std::int64_t>(n) * 3840;
    }
    CHECK(shorter == 183); // and one whose tail is lost, too
    for (const int n : {29, 57, 58, 113, 114})
        CHECK(strict.samples(n) == static_cast<std::int64_t>(n) * 3840 - 1);
    options.strict = false;
    options.first_window_seconds = 7.44;
    const CodecSchedule early = *CodecSchedule::make(options, published);
    CHECK(early.window(0).codes == 93);
    CHECK(early.window(1).first == 80);
    CHECK(early.window(1).overlap == 13);
    CHECK(early.window(2).first == 400);
    CHECK(early.window(2).overlap == 52);
    for (int n = 1; n < 2000; ++n) { // every code is in a window, and no window is beyond the codes that make it begin
        const auto last = early.window(early.windows(n) - 1);
        CHECK(last.first + last.codes >= n);
        CHECK((early.windows(n) == 1 ||
               early.window(early.windows(n) - 2).first + early.window(early.windows(n) - 2).codes < n));
    }
    options.strict = true;
    CHECK_FALSE(CodecSchedule::make(options, published).ok());
    for (const double seconds : {0.0, -1.0, 7.43, 1e9, std::nan("")}) {
        CodecOptions wrong;
        wrong.window_seconds = seconds;
        CHECK_FALSE(CodecSchedule::make(wrong, published).ok());
    }
    CodecOptions wrong;
    wrong.steps = 0;
    CHECK_FALSE(CodecSchedule::make(wrong, published).ok());
}

TEST_CASE("streamed is whole, bit for bit, with any threads, with a first window of its own too") {
    HeartCodec one = opened(1), two = opened(2);
    for (const double first : {0.0, 10.0})
        for (const int frames : {1, 93, 94, 106, 130, 260}) {
            CodecOptions options = quick();
            options.first_window_seconds = first;
            const auto codes = random_codes(frames, static_cast<unsigned>(frames));
            const Sound whole = decoded(one, codes, options, 0);
            CHECK(whole.left.size() == static_cast<std::size_t>(frames) * 128);
            CHECK(decoded(one, codes, options, 1) == whole);
            CHECK(decoded(two, codes, options, 7) == whole);
            CHECK(decoded(two, codes, options, 100) == whole);
        }
    // Red control: another seed, another guidance, another first window are other sounds.
    const auto codes = random_codes(120, 1);
    const Sound whole = decoded(one, codes, quick(), 0);
    CodecOptions other = quick();
    other.seed = 6;
    CHECK_FALSE(decoded(one, codes, other, 0) == whole);
    other = quick();
    other.guidance = 1.0f;
    CHECK_FALSE(decoded(one, codes, other, 0) == whole);
}

TEST_CASE("sound goes out as soon as a window is full, and all of it but the overlap") {
    HeartCodec codec = opened();
    Sound sound;
    int told = 0;
    double before = -1.0;
    CodecOptions options = quick();
    options.progress = [&](const CodecProgress& progress) {
        ++told;
        const double now = progress.window + progress.fraction;
        CHECK(now >= before);
        before = now;
    };
    auto stream = CodecStream::make(codec, options, into(sound));
    const auto codes = random_codes(200, 3);
    REQUIRE(stream->push(std::span(codes).first(8 * 92)).ok());
    CHECK(sound.left.empty());
    REQUIRE(stream->push(std::span(codes).subspan(8 * 92, 8)).ok());
    CHECK(sound.left.size() == 80 * 128);
    CHECK(stream->windows() == 1);
    CHECK(told >= 4);
    REQUIRE(stream->push(std::span(codes).subspan(8 * 93, 8 * 20)).ok());
    CHECK(sound.left.size() == 80 * 128);
    REQUIRE(stream->release().ok()); // stopped here: what was kept back for the cross-fade comes, too
    CHECK(sound.left.size() == 93 * 128);
    CHECK(before == doctest::Approx(1.0));
}

TEST_CASE("a decoder in tiles of any size gives the bits of the whole") {
    HeartCodec one = opened(1), two = opened(2);
    std::mt19937 random(9);
    std::vector<float> latents(50 * 256);
    for (float& x : latents)
        x = static_cast<float>(random() % 2000) / 500.0f - 2.0f;
    const auto run = [&](HeartCodec& codec, int tile) {
        Sound sound;
        REQUIRE(codec.decode(latents, into(sound), tile).ok());
        return sound;
    };
    const Sound whole = run(one, 50);
    CHECK(whole.left.size() == 50 * 64);
    for (const int tile : {1, 2, 7, 13, 49, 1000})
        CHECK(run(tile % 2 == 0 ? one : two, tile) == whole);
    latents[20 * 256] += 1.0f; // red control
    CHECK_FALSE(run(one, 50) == whole);
}

TEST_CASE("what cannot be decoded is refused by its place") {
    HeartCodec codec = opened();
    Sound sound;
    auto stream = CodecStream::make(codec, quick(), into(sound));
    CHECK(stream->finish().code() == Code::invalid_argument); // no code at all
    auto codes = random_codes(3, 1);
    codes[8 + 2] = 64;
    const Status status = stream->push(codes);
    CHECK(status.code() == Code::out_of_range);
    CHECK(status.what().find("frame 1, codebook 2 has code 64") != std::string::npos);
    codes[8 + 2] = -1; // dropped
    CHECK(stream->push(codes).ok());
    CHECK(stream->push(std::span(codes).first(5)).code() == Code::invalid_argument);
    REQUIRE(stream->finish().ok());
    CHECK(sound.left.size() == 3 * 128);
    CHECK(stream->push(codes).code() == Code::wrong_state);
    // A sink that fails ends the stream with its own words.
    auto failing = CodecStream::make(
        codec, quick(), [](auto, auto) { return Status(Code::file_unwritable, "disk full", "nothing", "space"); });
    CHECK(failing->push(random_codes(93, 1)).code() == Code::file_unwritable);
    CHECK(failing->finish().code() == Code::file_unwritable);
}

TEST_CASE("a cancelled stream stops between tiles, and what it gave out is the beginning of the whole") {
    HeartCodec codec = opened(2);
    const auto codes = random_codes(400, 2);
    CodecOptions options = quick();
    options.steps = 4;
    const Sound whole = decoded(codec, codes, options, 0);
    std::mt19937 random(4);
    int stopped = 0;
    for (int trial = 0; trial < 10; ++trial) {
        Sound sound;
        CodecOptions with = options;
        with.token = CancelToken();
        const int at = static_cast<int>(random() % 30);
        int seen = 0;
        with.progress = [&](const CodecProgress&) {
            if (seen++ == at) with.token.cancel();
        };
        auto stream = CodecStream::make(codec, with, into(sound));
        Status status = stream->push(codes);
        if (status.ok()) status = stream->finish();
        if (!status) {
            CHECK(status.code() == Code::cancelled);
            ++stopped;
        }
        CHECK(sound.left.size() <= whole.left.size());
        CHECK(std::memcmp(sound.left.data(), whole.left.data(), sound.left.size() * sizeof(float)) == 0);
        const std::size_t before = sound.left.size();
        CHECK(stream->release().ok());
        CHECK(sound.left.size() >= before);
    }
    CHECK(stopped > 3);
    CHECK(decoded(codec, codes, options, 0) == whole); // a stream of its own token goes on
}

TEST_CASE("the gate of INT8 sees what rounding does, and stays shut") {
    const auto gate = gate_codec(k_folder, 1, 20);
    REQUIRE(gate.ok());
    MESSAGE("relative RMS " << gate->relative_rms);
    CHECK(gate->relative_rms > 1e-3); // 255 steps are no more than three digits
    CHECK(gate->relative_rms < 0.1);
    CHECK(CodecGate{0.004}.opens());
    CHECK_FALSE(CodecGate{0.006}.opens());
    CHECK_FALSE(CodecGate{std::nan("")}.opens());
}
