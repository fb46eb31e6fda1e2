// SPDX-License-Identifier: MIT
#include <cmath>
#include <stdexcept>

#include <models/mel/mel.h>
#include <models/parity/case_data.h>

namespace tutti::models::parity {
namespace {

std::vector<float> unwrap(Result<std::vector<float>> rows) {
    if (!rows) throw std::runtime_error(rows.status().message());
    return std::move(rows).value();
}

std::vector<float> clip(Case& c) {
    std::optional<std::int64_t> end;
    if (!c.data.at("end").is_null()) end = c.data.at("end").get<std::int64_t>();
    return c.library.audio(c.data.at("audio").get<std::string>(), c.data.at("begin").get<std::int64_t>(), end);
}

// rows [frame, mel] against what the data keeps of [mel, frame].
void compare(Case& c, const std::vector<float>& rows, double tolerance, const char* values_name = "values") {
    const auto shape = c.data.at("shape").get<std::vector<std::size_t>>();
    const std::size_t mels = shape.at(0);
    const std::size_t frames = shape.at(1);
    c.require("shape", rows.size() == mels * frames, std::to_string(rows.size()) + " values");
    if (rows.size() != mels * frames) return;
    std::vector<std::int64_t> columns;
    if (c.has("out/full"))
        for (std::size_t f = 0; f < frames; ++f)
            columns.push_back(static_cast<std::int64_t>(f));
    else
        columns = c.integers("out/columns");
    std::vector<float> picked;
    for (std::size_t m = 0; m < mels; ++m)
        for (std::int64_t f : columns)
            picked.push_back(rows.at(static_cast<std::size_t>(f) * mels + m));
    const bool db = values_name != std::string("values");
    c.near(values_name, picked,
           c.floats(db                  ? "out/db_values"
                    : c.has("out/full") ? "out/full"
                                        : "out/values"),
           tolerance);
    if (db) return;
    std::vector<double> sum(mels), square(mels);
    double largest = 1.0;
    for (std::size_t f = 0; f < frames; ++f)
        for (std::size_t m = 0; m < mels; ++m) {
            const double x = rows[f * mels + m];
            sum[m] += x;
            square[m] += x * x;
            largest = std::max(largest, std::abs(x));
        }
    c.near("row_sum", sum, c.doubles("out/row_sum"), tolerance * static_cast<double>(frames));
    // d(x^2) = 2 x dx
    c.near("row_sum_sq", square, c.doubles("out/row_sum_sq"), 2.0 * largest * tolerance * static_cast<double>(frames));
}

constexpr double k_log_mel = 1e-4; // FP32 and FP64 transforms of one signal differ by up to 4e-5 in quiet bands

void check_filters(Case& c) {
    const int mels = c.data.at("n_mels").get<int>();
    c.near("full", dsp::mel_filters(16000, 400, mels, 0, 8000), c.floats("out/full"), 1e-7);
}

void check_extent(Case& c, MelExtent extent, std::int64_t window) {
    compare(c, unwrap(whisper_features(c.data.at("n_mels").get<int>(), clip(c), extent, window, c.options.threads)),
            k_log_mel);
}
void check_hf(Case& c) {
    check_extent(c, MelExtent::window, c.data.at("chunk_length").get<std::int64_t>() * 16000);
}
void check_hf_long(Case& c) {
    check_extent(c, MelExtent::item, 0);
}
void check_openai(Case& c) {
    check_extent(c, MelExtent::openai, c.data.at("padding").get<std::int64_t>());
}

void check_librosa(Case& c) {
    const Json& args = c.data.at("args");
    MelConfig config = MelConfig::librosa(16000, args.at("n_fft").get<int>(), args.at("hop_length").get<int>(),
                                          args.at("n_mels").get<int>());
    if (args.value("pad_mode", "constant") == "reflect") config.padding = MelPadding::reflect;
    if (!args.value("center", true)) config.padding = MelPadding::none;
    config.fmin = args.value("fmin", 0.0);
    config.fmax = args.value("fmax", 0.0);
    std::vector<float> rows = unwrap(mel_rows(config, clip(c), c.options.threads));
    compare(c, rows, 1e-5 * c.data.at("max").get<double>());
    power_to_db(rows);
    // 1e-5 of the maximum says nothing about a band 80 dB below it; relative errors of FP32 powers stay within 1e-3 dB except
    // in bands near the floor, where the transform's own rounding (1.5e-7 of the maximum) counts: 0.05 dB at -62 dB.
    compare(c, rows, 0.05, "db_values");
}

} // namespace

void add_mel_checkers(std::map<std::string, Checker>& table) {
    table["filters"] = check_filters;
    table["hf"] = check_hf;
    table["hf_long"] = check_hf_long;
    table["openai"] = check_openai;
    table["librosa"] = check_librosa;
}

} // namespace tutti::models::parity
