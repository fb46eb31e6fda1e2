// SPDX-License-Identifier: MIT
// y = x W^T + b with W packed for the kernels in FP32, BF16 or INT8, and the runner that multiplies with it on a team.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <models/nn/buffer.h>
#include <models/nn/kernels.h>
#include <models/nn/team.h>
#include <tutti/job.h>

namespace tutti::models {

struct Linear {
    Compute compute = Compute::fp32;
    Buffer packed;
    Buffer scales; // INT8: [groups][columns]
    Buffer sums;
    std::vector<float> bias;
    int n = 0;
    int k = 0;
    int units = 0; // of the inner dimension, four bytes each (FP32: one value)
    int group = 0; // units that share a scale, or are added in one go
    int columns = 0;

    std::size_t bytes() const noexcept { return packed.bytes() + scales.bytes() + sums.bytes() + bias.size() * 4; }
    // Row `index` of W as floats, as far as the numbers keep it.
    void row(const Kernels& kernels, int index, float* out) const;
};

// How a right side of n columns of k values is laid out; nothing is packed yet.
Linear linear_shape(const Kernels& kernels, Compute compute, int n, int k);
// rows [n][k] at `step`. Packs columns [first, first + count), `first` a multiple of the panel. [worker]
void pack_rows(const Kernels& kernels, const float* rows, std::ptrdiff_t step, int first, int count, Linear& to);
Linear make_linear(const Kernels& kernels, Compute compute, const float* rows, std::vector<float> bias, int n, int k);

// Multiplies on a team of threads; asks a token between tiles of rows, and returns early, with the rest of the result
// undefined, when that is cancelled.
class Runner {
public:
    explicit Runner(int threads) : m_team(threads) {}

    const Kernels& kernels() const noexcept { return m_kernels; }
    Team& team() noexcept { return m_team; }
    void set_token(const CancelToken& token) { m_token = token; }
    bool cancelled() const noexcept { return m_token.cancelled(); }

    // c[rows][n] = a[rows][k] x w. Split by rows, or by panels where rows are few.
    void multiply(const float* a, std::ptrdiff_t a_step, int rows, const Linear& w, float* c, std::ptrdiff_t c_step,
                  Epilogue epilogue = Epilogue::store);
    // work(first, last, part) over [0, count) in pieces of at most `piece`, dealt out evenly.
    void each(int count, int piece, const std::function<void(int first, int last, int part)>& work);
    // Scratch of one part of the team.
    Buffer& scratch(int part) { return m_scratch[static_cast<std::size_t>(part)]; }

private:
    const Kernels& m_kernels = models::kernels();
    Team m_team;
    std::vector<Buffer> m_scratch{static_cast<std::size_t>(m_team.threads())};
    Buffer m_rows, m_scales; // the left side as BF16 or INT8
    CancelToken m_token;
};

} // namespace tutti::models
