// SPDX-License-Identifier: MIT
// Whether narrow arithmetic means the same: scores of two models over the frames of one song, teacher-forced.
#pragma once

#include <functional>

#include <models/heartmula/song.h>

namespace tutti::models {

struct MulaGateLimits {
    double cosine = 0.999; // of each frame's scores, at least
    double mean_kl = 0.01; // Kullback-Leibler divergence of the narrow distribution from the wide one, in nats
    double worst_kl = 0.1;
};

struct MulaGateReport {
    int frames = 0;
    std::int64_t distributions = 0;
    double worst_cosine = 1.0;
    double mean_kl = 0.0;
    double worst_kl = 0.0;
    bool passed(const MulaGateLimits& limits = {}) const noexcept {
        return distributions > 0 && worst_cosine >= limits.cosine && mean_kl < limits.mean_kl &&
               worst_kl < limits.worst_kl;
    }
    std::string text() const; // one line
};

// `wide` draws the song, `narrow` follows its codes. Every codebook's scores of both rows count. Errors: as SongBatch. [worker]
Result<MulaGateReport> compare_scores(const HeartMula& wide, const HeartMula& narrow, SongRequest request, int frames,
                                      const std::function<void(double fraction)>& progress = {});

} // namespace tutti::models
