// SPDX-License-Identifier: MIT
// HeartCodec: codes to condition, the estimator, the solver, the decoder, and whole songs.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <models/heartcodec/codec.h>
#include <models/parity/case_data.h>

namespace tutti::models::parity {
namespace {

constexpr double k_layer = 1e-5;        // of a tensor's largest value
constexpr double k_flow = 1e-4;         // many layers and steps
constexpr double k_wave = 5e-3;         // relative RMS: latents are rounded to ninths, and a few lie near a boundary
constexpr double k_block_energy = 0.05; // of the largest block

template <class T>
T unwrap(Result<T> result) {
    if (!result) throw std::runtime_error(result.status().message());
    return std::move(result).value();
}

// A checkpoint is opened once for all cases that name it.
HeartCodec& codec_of(Case& c) {
    static std::map<std::string, HeartCodec> opened;
    const auto folder =
        c.library.folder() / "heartcodec" / c.data.at("checkpoint").get<std::string>() / "HeartCodec-oss";
    const std::string key = folder.string() + "/" + std::to_string(c.options.threads);
    if (const auto found = opened.find(key); found != opened.end()) return found->second;
    return opened.emplace(key, unwrap(HeartCodec::open(folder, c.options.threads))).first->second;
}

double largest(const std::vector<float>& values) {
    double most = 0.0;
    for (float x : values)
        most = std::max(most, std::abs(static_cast<double>(x)));
    return most;
}
void compare(Case& c, const std::string& point, const std::vector<float>& got, const std::vector<float>& wanted,
             double tolerance) {
    c.near(point, got, wanted, tolerance * largest(wanted));
}

// [codebooks][frames] as stored -> [frames][codebooks]
std::vector<std::int32_t> codes_of(Case& c, const std::string& point) {
    const auto shape = c.shape(point);
    const auto stored = c.integers(point);
    const auto books = static_cast<std::size_t>(shape.at(0)), frames = static_cast<std::size_t>(shape.at(1));
    std::vector<std::int32_t> codes(stored.size());
    for (std::size_t q = 0; q < books; ++q)
        for (std::size_t t = 0; t < frames; ++t)
            codes[t * books + q] = static_cast<std::int32_t>(stored[q * frames + t]);
    return codes;
}

// Draw number `draw` of the recorded noise.
void pool_noise(const std::vector<float>& pool, int draw, std::span<float> out) {
    constexpr std::size_t width = 256, rows = 128;
    for (std::size_t t = 0; t * width < out.size(); ++t)
        std::copy_n(pool.begin() +
                        static_cast<std::ptrdiff_t>((t + 37 * static_cast<std::size_t>(draw)) % rows * width),
                    width, out.begin() + static_cast<std::ptrdiff_t>(t * width));
}
std::vector<float> pool_of(Case& c) {
    return c.shared_floats(c.data.at("checkpoint").get<std::string>() + "/in/noise_pool");
}

void check_rvq(Case& c) {
    HeartCodec& codec = codec_of(c);
    std::vector<float> sum;
    compare(c, "mu", codec.condition(codes_of(c, "in/codes"), &sum), c.floats("out/mu"), k_layer);
    compare(c, "vq", sum, c.floats("out/vq"), k_layer);
    codec.condition(codes_of(c, "in/codes_dropped"), &sum);
    compare(c, "vq_dropped", sum, c.floats("out/vq_dropped"), k_layer);
}

void check_estimator(Case& c) {
    HeartCodec& codec = codec_of(c);
    const auto input = c.floats("in/x");
    const auto shape = c.shape("in/x");
    const int batch = static_cast<int>(shape.at(0));
    const auto times = c.data.at("times").get<std::vector<float>>();
    for (std::size_t i = 0; i < times.size(); ++i) {
        std::string name("t"); // gcc 12 warns of "t" + ...
        name += std::to_string(i);
        std::vector<float> velocity(static_cast<std::size_t>(shape.at(0) * shape.at(1)) * 256);
        codec.estimate(input, batch, times[i], velocity,
                       [&](const std::string& point, std::span<const float> rows, int) {
                           if (!c.has(name + "/" + point)) return;
                           const auto wanted = c.floats(name + "/" + point);
                           std::vector<float> got(rows.begin(), rows.end());
                           // What depends on the time alone is computed once, and stored for each row of the batch.
                           while (got.size() < wanted.size())
                               got.insert(got.end(), rows.begin(), rows.end());
                           compare(c, name + "/" + point, got, wanted, k_flow);
                       });
        compare(c, name, velocity, c.floats("out/" + name), k_flow);
    }
}

void check_solver(Case& c) {
    HeartCodec& codec = codec_of(c);
    const auto condition = codec.condition(codes_of(c, "in/codes"));
    CodecOptions options;
    options.steps = c.data.at("steps").get<int>();
    options.guidance = c.data.at("guidance").get<float>();
    const auto wanted = c.floats("out/latents");
    std::vector<float> noise(wanted.size());
    pool_noise(pool_of(c), 0, noise);
    const auto context = c.floats("in/context");
    c.equal("n0", std::vector<std::size_t>{context.size() / 256}, {c.data.at("n0").get<std::size_t>()});
    compare(c, "latents", codec.solve(condition, context, noise, options, c.data.at("latent_length").get<int>()),
            wanted, k_flow);
}

void check_sq(Case& c) {
    HeartCodec& codec = codec_of(c);
    const auto latents = c.floats("in/latents");
    std::map<std::string, std::vector<float>> seen; // [side][channel][time], as stored
    const auto status = codec.decode(
        latents, [](auto, auto) { return Status(); }, 1 << 20,
        [&](const std::string& point, std::span<const float> rows, int width) {
            const auto channels = static_cast<std::size_t>(width), count = rows.size() / channels;
            for (std::size_t i = 0; i < channels; ++i)
                for (std::size_t t = 0; t < count; ++t)
                    seen[point].push_back(rows[t * channels + i]);
        });
    c.require("decode", status.ok(), status.message());
    for (const auto& [point, values] : seen)
        if (c.has("out/" + point)) {
            const auto wanted = c.floats("out/" + point);
            if (point == "quantised")
                c.near(point, values, wanted, 0.0); // exact halves among them
            else
                compare(c, point, values, wanted, k_layer);
        }
    c.require("every stage", seen.size() == 19, std::to_string(seen.size()) + " points");
    // In tiles of three latents: the same bits.
    std::vector<float> left, right;
    const auto tiled = codec.decode(
        latents,
        [&](std::span<const float> l, std::span<const float> r) {
            left.insert(left.end(), l.begin(), l.end());
            right.insert(right.end(), r.begin(), r.end());
            return Status();
        },
        3);
    c.require("decode in tiles", tiled.ok(), tiled.message());
    left.insert(left.end(), right.begin(), right.end());
    c.equal("tiles", left, seen["stage7"]);
}

void check_detokenize(Case& c) {
    HeartCodec& codec = codec_of(c);
    const auto codes = codes_of(c, "in/codes");
    const auto pool = pool_of(c);
    const int n = c.data.at("n_codes").get<int>();
    CodecOptions options;
    options.window_seconds = c.data.at("duration").get<double>();
    options.steps = c.data.at("steps").get<int>();
    options.guidance = c.data.at("guidance").get<float>();
    options.strict = c.options.strict;
    // Two draws a window; the first has no effect.
    options.noise = [&](int window, int, std::span<float> out) { pool_noise(pool, 2 * window + 1, out); };
    std::vector<float> wave[2];
    auto stream =
        unwrap(CodecStream::make(codec, options, [&](std::span<const float> left, std::span<const float> right) {
            wave[0].insert(wave[0].end(), left.begin(), left.end());
            wave[1].insert(wave[1].end(), right.begin(), right.end());
            return Status();
        }));
    Status status = stream.push(codes);
    if (status.ok()) status = stream.finish();
    c.require("decoded", status.ok(), status.message());
    const auto schedule = unwrap(CodecSchedule::make(options, codec.config()));
    const int windows = static_cast<int>(c.data.at("windows").size());
    const auto wanted_samples = c.data.at("samples").get<std::size_t>();
    std::size_t comparable = wanted_samples;
    if (c.replaced_by(Json{{"samples", wave[0].size()}, {"windows", stream.windows()}})) {
        // As far as the reference's last window is not the last one here.
        if (stream.windows() > windows)
            comparable = static_cast<std::size_t>(schedule.window(windows).first) *
                         static_cast<std::size_t>(codec.config().samples_per_frame());
    } else {
        c.equal("samples", std::vector<std::size_t>{wave[0].size(), wave[1].size()}, {wanted_samples, wanted_samples});
        c.equal("windows", std::vector<int>{stream.windows(), schedule.windows(n)}, {windows, windows});
        for (int i = 0; i < windows; ++i) {
            const Json& one = c.data.at("windows").at(static_cast<std::size_t>(i));
            const auto here = schedule.window(i);
            c.equal("window " + std::to_string(i), std::vector<int>{here.codes, 2 * here.codes, 2 * here.overlap},
                    {one.at("codes").get<int>(), one.at("latent_length").get<int>(), one.at("n0").get<int>()});
        }
    }
    const bool whole = c.has("out/wave");
    const auto values = c.floats(whole ? "out/wave" : "out/wave_values");
    std::vector<std::int64_t> index;
    if (whole)
        for (std::size_t i = 0; i < wanted_samples; ++i)
            index.push_back(static_cast<std::int64_t>(i));
    else
        index = c.integers("out/wave_index");
    double difference = 0.0, power = 0.0;
    for (std::size_t side = 0; side < 2; ++side)
        for (std::size_t i = 0; i < index.size(); ++i) {
            const auto at = static_cast<std::size_t>(index[i]);
            if (at >= comparable) continue;
            const double wanted = values.at(side * index.size() + i),
                         got = at < wave[side].size() ? wave[side][at] : 1e9;
            difference += (got - wanted) * (got - wanted);
            power += wanted * wanted;
        }
    c.near("relative rms", power > 0.0 ? std::sqrt(difference / power) : 1.0, 0.0, k_wave);
    const auto energy = c.doubles("out/block_energy");
    const std::size_t blocks = energy.size() / 2;
    const double most = *std::max_element(energy.begin(), energy.end());
    std::vector<double> got, wanted;
    for (std::size_t side = 0; side < 2; ++side)
        for (std::size_t b = 0; b < blocks && std::min((b + 1) * 400, wanted_samples) <= comparable; ++b) {
            double sum = 0.0;
            for (std::size_t i = 400 * b; i < std::min({400 * (b + 1), wave[side].size(), comparable}); ++i)
                sum += static_cast<double>(wave[side][i]) * wave[side][i];
            got.push_back(sum);
            wanted.push_back(energy[side * blocks + b]);
        }
    c.near("block energy", got, wanted, k_block_energy * most);
}

} // namespace

void add_codec_checkers(std::map<std::string, Checker>& table) {
    table["rvq"] = check_rvq;
    table["estimator"] = check_estimator;
    table["solver"] = check_solver;
    table["sq"] = check_sq;
    table["detokenize"] = check_detokenize;
}

} // namespace tutti::models::parity
