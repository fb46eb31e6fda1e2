// SPDX-License-Identifier: MIT
// Properties of songs that need no reference: the same bits however they are computed.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <models/heartmula/gate.h>
#include <models/heartmula/song.h>

using namespace tutti::models;
using tutti::Status;
namespace fs = std::filesystem;

namespace {

const fs::path k_root = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/heartmula/small";

struct Model {
    HeartMulaConfig config;
    Tokenizer tokenizer;
    HeartMula network;
};

Model open_model(int threads = 1, MulaArithmetic arithmetic = MulaArithmetic::fp32, const fs::path& root = k_root) {
    const auto folder = MusicFolder::find(root, "", false);
    REQUIRE_MESSAGE(folder.ok(), folder.status().message());
    const auto config = HeartMulaConfig::open(folder->language_model, root);
    REQUIRE_MESSAGE(config.ok(), config.status().message());
    auto tokenizer = Tokenizer::open(root);
    REQUIRE(tokenizer.ok());
    MulaOptions options;
    options.threads = threads;
    options.arithmetic = arithmetic;
    auto network = HeartMula::open(folder->language_model, *config, options);
    REQUIRE_MESSAGE(network.ok(), network.status().message());
    return {*config, std::move(tokenizer).value(), std::move(network).value()};
}

SongRequest request_of(const Model& m, std::uint64_t seed, int frames, const char* lyrics = "la la") {
    SongRequest request;
    request.prompt = make_prompt(m.tokenizer, m.config, "pop", lyrics);
    request.seed = seed;
    request.max_frames = frames - 1;
    request.never_end = true;
    request.top_k = 20;
    return request;
}

std::vector<SongState> sing(const Model& m, std::vector<SongRequest> requests) {
    auto batch = SongBatch::make(m.network, std::move(requests));
    REQUIRE_MESSAGE(batch.ok(), batch.status().message());
    Status status = batch->begin();
    while (status && !batch->done())
        status = batch->step();
    REQUIRE_MESSAGE(status.ok(), status.message());
    return batch->songs();
}

std::vector<std::int32_t> sing_one(const Model& m, SongRequest request) {
    std::vector<SongRequest> one;
    one.push_back(std::move(request));
    return sing(m, std::move(one)).front().codes;
}

} // namespace

TEST_CASE("20 seeds of 200 frames: alone, in a batch, on other threads and taken up again, bit for bit") {
    const Model m = open_model(), threads = open_model(3);
    constexpr int k_frames = 200;
    std::vector<std::vector<std::int32_t>> alone;
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        alone.push_back(sing_one(m, request_of(m, seed, k_frames)));
    for (std::size_t first = 0; first < alone.size(); first += 4) { // eight rows
        std::vector<SongRequest> four;
        for (std::size_t i = first; i < first + 4; ++i)
            four.push_back(request_of(threads, i + 1, k_frames));
        const auto together = sing(threads, std::move(four));
        for (std::size_t i = 0; i < 4; ++i)
            CHECK(together[i].codes == alone[first + i]);
    }
    for (std::size_t i = 0; i < alone.size(); ++i) {
        REQUIRE(alone[i].size() == static_cast<std::size_t>(k_frames) * 8);
        SongRequest rest = request_of(m, i + 1, k_frames);
        const std::size_t cut = std::vector<std::size_t>{1, 2, 64, 65, 130, 199, 200}[i % 7];
        rest.codes.assign(alone[i].begin(), alone[i].begin() + static_cast<std::ptrdiff_t>(cut * 8));
        CHECK(sing_one(i % 2 ? threads : m, std::move(rest)) == alone[i]);
        for (std::size_t j = 0; j < i; ++j)
            CHECK(alone[i] != alone[j]); // the comparison above is of something
    }
}

TEST_CASE("songs of different prompts, scales and lengths share a batch") {
    const Model m = open_model(2);
    std::vector<SongRequest> requests;
    const char* const lyrics[] = {"la", "oh what a day it is, and what a night will come", "[verse]\none\ntwo", "x"};
    for (int i = 0; i < 4; ++i) {
        requests.push_back(request_of(m, 40 + static_cast<std::uint64_t>(i), 10 + 7 * i, lyrics[i]));
        requests.back().guidance = i == 1 ? 1.0f : 1.0f + 0.5f * static_cast<float>(i);
        requests.back().never_end = i != 3;
        requests.back().temperature = i == 2 ? 0.0f : 0.9f;
    }
    const auto together = sing(m, requests);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto alone = sing(m, {requests[i]}).front();
        CHECK(together[i].codes == alone.codes);
        CHECK(together[i].ended == alone.ended);
        CHECK(together[i].lead == alone.lead);
    }
}

TEST_CASE("position by position equals all at once") {
    const Model m = open_model(2);
    const int width = m.config.backbone.width, count = 50;
    std::vector<float> x(static_cast<std::size_t>(count * width)), single;
    for (int p = 0; p < count; ++p)
        m.network.embed_text(p * 3, true, x.data() + p * width);
    single = x;
    KeyValues all(m.config.backbone, count), one(m.config.backbone, count);
    const std::vector<KeyValues*> rows(static_cast<std::size_t>(count), &all);
    m.network.backbone(rows, x.data());
    for (int p = 0; p < count; ++p) {
        KeyValues* const row[] = {&one};
        m.network.backbone(row, single.data() + p * width);
    }
    CHECK(std::memcmp(x.data(), single.data(), x.size() * sizeof(float)) == 0);
}

TEST_CASE("without guidance there is one row, and it is the conditional one") {
    const Model m = open_model();
    SongRequest request = request_of(m, 5, 30);
    request.guidance = 1.0f;
    const auto plain = sing_one(m, request);
    request.guidance = 0.5f;
    CHECK(sing_one(m, request) == plain);
    std::vector<std::vector<float>> scores[2];
    for (const int guided : {0, 1}) {
        request.guidance = guided ? 1.5f : 1.0f;
        request.forced = plain;
        auto batch = SongBatch::make(m.network, {request});
        REQUIRE(batch.ok());
        const MulaProbe probe = [&](const std::string& point, int row, int, std::span<const float> values) {
            if (row == 0 && point.starts_with("logits")) scores[guided].emplace_back(values.begin(), values.end());
        };
        Status status = batch->begin({}, probe);
        while (status && !batch->done())
            status = batch->step(probe);
        REQUIRE(status.ok());
    }
    CHECK(scores[0].size() == 240);
    CHECK(scores[0] == scores[1]);
}

TEST_CASE("a stopped song keeps its frames, and goes on from them") {
    Model m = open_model();
    const auto whole = sing_one(m, request_of(m, 9, 60));
    tutti::CancelToken token;
    m.network.set_token(token);
    auto batch = SongBatch::make(m.network, {request_of(m, 9, 60)});
    REQUIRE(batch.ok());
    Status status = batch->begin();
    while (status && !batch->done()) {
        if (batch->songs()[0].frames == 23) token.cancel();
        status = batch->step();
    }
    CHECK(status.code() == tutti::Code::cancelled);
    REQUIRE(batch->songs()[0].frames == 23);
    SongRequest rest = request_of(m, 9, 60);
    rest.codes = batch->songs()[0].codes;
    m.network.set_token(tutti::CancelToken());
    CHECK(sing_one(m, std::move(rest)) == whole);
}

TEST_CASE("limits are told before anything is computed") {
    const Model m = open_model();
    const auto refused = [&](const SongRequest& request) {
        const auto batch = SongBatch::make(m.network, {request});
        return batch.ok() ? std::string() : batch.status().message();
    };
    CHECK(refused(request_of(m, 1, 400)).find("more than the model's 256") != std::string::npos);
    SongRequest request = request_of(m, 1, 10);
    request.top_k = 70;
    CHECK_FALSE(refused(request).empty());
    request = request_of(m, 1, 10);
    request.codes = {1, 2, 3};
    CHECK_FALSE(refused(request).empty());
    request.codes.assign(8, 69);
    CHECK_FALSE(refused(request).empty());
}

TEST_CASE("the gate lets narrow arithmetic pass and names planted faults") {
    const Model wide = open_model(), narrow = open_model(1, MulaArithmetic::int8),
                half = open_model(1, MulaArithmetic::bf16);
    for (const Model* one : {&half, &narrow}) {
        const auto report = compare_scores(wide.network, one->network, request_of(wide, 3, 40), 40);
        REQUIRE(report.ok());
        MESSAGE(report->text());
        CHECK(report->frames == 40);
        CHECK(report->distributions == 40 * 8 * 2);
        CHECK(report->worst_cosine > 0.99);
    }
    const auto same = compare_scores(wide.network, wide.network, request_of(wide, 3, 20), 20);
    REQUIRE(same.ok());
    CHECK(same->passed());
    CHECK(same->worst_kl == 0.0);
    // A shard whose weights are a tenth too large.
    const fs::path copy = fs::temp_directory_path() / "tutti_gate_fault";
    fs::remove_all(copy);
    fs::copy(k_root, copy, fs::copy_options::recursive);
    const fs::path shard = copy / "HeartMuLa-oss-3B/model-00001-of-00005.safetensors";
    std::ifstream in(shard, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    in.close();
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    for (std::size_t at = 8 + static_cast<std::size_t>(header); at + 4 <= bytes.size(); at += 4) {
        float x = 0.0f;
        std::memcpy(&x, bytes.data() + at, 4);
        x *= 1.1f;
        std::memcpy(bytes.data() + at, &x, 4);
    }
    std::ofstream(shard, std::ios::binary) << bytes;
    const Model faulty = open_model(1, MulaArithmetic::fp32, copy);
    const auto report = compare_scores(wide.network, faulty.network, request_of(wide, 3, 20), 20);
    REQUIRE(report.ok());
    CHECK_FALSE(report->passed());
    fs::remove_all(copy);
}

TEST_CASE("what is missing is named with its place") {
    const fs::path none = fs::temp_directory_path() / "tutti_no_music";
    fs::remove_all(none);
    CHECK(MusicFolder::find(none, "").status().message().find(none.string()) != std::string::npos);
    fs::create_directories(none / "HeartMuLa-oss-9B");
    const auto found = MusicFolder::find(none, "");
    REQUIRE_FALSE(found.ok());
    for (const char* name : {"HeartMuLa-oss-9B/config.json", "HeartCodec-oss", "tokenizer.json", "gen_config.json",
                             "nothing is downloaded"})
        CHECK(found.status().message().find(name) != std::string::npos);
    CHECK(MusicFolder::looks_like(none));
    fs::remove_all(none);
    const auto version = MusicFolder::find(k_root, "7B", false);
    CHECK(version.status().message().find("HeartMuLa-oss-7B") != std::string::npos);
}
