// SPDX-License-Identifier: MIT
#include <models/heartmula/gate.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tutti::models {
namespace {

double log_sum(std::span<const float> x, double highest) {
    double sum = 0.0;
    for (float y : x)
        sum += std::exp(static_cast<double>(y) - highest);
    return highest + std::log(sum);
}

void compare(std::span<const float> wide, std::span<const float> narrow, MulaGateReport& report) {
    double product = 0.0, a = 0.0, b = 0.0;
    for (std::size_t i = 0; i < wide.size(); ++i) {
        product += static_cast<double>(wide[i]) * static_cast<double>(narrow[i]);
        a += static_cast<double>(wide[i]) * static_cast<double>(wide[i]);
        b += static_cast<double>(narrow[i]) * static_cast<double>(narrow[i]);
    }
    const double cosine = a > 0.0 && b > 0.0 ? product / std::sqrt(a * b) : a == b ? 1.0 : 0.0;
    report.worst_cosine = std::isfinite(cosine) ? std::min(report.worst_cosine, cosine) : -1.0;
    const double p_sum = log_sum(wide, static_cast<double>(*std::max_element(wide.begin(), wide.end())));
    const double q_sum = log_sum(narrow, static_cast<double>(*std::max_element(narrow.begin(), narrow.end())));
    double divergence = 0.0;
    for (std::size_t i = 0; i < wide.size(); ++i) {
        const double p = static_cast<double>(wide[i]) - p_sum, q = static_cast<double>(narrow[i]) - q_sum;
        divergence += std::exp(p) * (p - q);
    }
    report.mean_kl += divergence; // a sum until the end
    report.worst_kl = std::isfinite(divergence) ? std::max(report.worst_kl, divergence) : INFINITY;
    ++report.distributions;
}

} // namespace

std::string MulaGateReport::text() const {
    char line[160];
    std::snprintf(line, sizeof line, "%d frames: cosine at least %.6f, KL %.2g on average and %.2g at worst", frames,
                  worst_cosine, mean_kl, worst_kl);
    return line;
}

Result<MulaGateReport> compare_scores(const HeartMula& wide, const HeartMula& narrow, SongRequest request, int frames,
                                      const std::function<void(double)>& progress) {
    request.max_frames = std::max(0, frames - 1);
    request.never_end = true;
    request.strict = false;
    request.codes.clear();
    MulaGateReport report;
    std::vector<std::vector<float>> scores;
    std::size_t at = 0;
    for (const bool first : {true, false}) {
        const HeartMula& model = first ? wide : narrow;
        const MulaProbe probe = [&](const std::string& point, int, int, std::span<const float> values) {
            if (!point.starts_with("logits")) return;
            if (first)
                scores.emplace_back(values.begin(), values.end());
            else if (at < scores.size() && scores[at].size() == values.size())
                compare(scores[at++], values, report);
        };
        std::vector<SongRequest> one;
        one.push_back(request);
        auto batch = SongBatch::make(model, std::move(one));
        if (!batch) return batch.status();
        Status status = batch->begin({}, probe);
        while (status && !batch->done()) {
            status = batch->step(probe);
            if (progress) progress((first ? 0.0 : 0.5) + 0.5 * batch->songs().front().frames / std::max(1, frames));
        }
        if (!status) return status;
        if (first) request.forced = batch->songs().front().codes;
        report.frames = batch->songs().front().frames;
    }
    if (report.distributions > 0) report.mean_kl /= static_cast<double>(report.distributions);
    if (at != scores.size()) report.distributions = 0; // not the same song: nothing was shown
    return report;
}

} // namespace tutti::models
