// SPDX-License-Identifier: MIT
// The border between the program and libtutti_torch, the one library that is linked with libtorch: plain C, numbers only.
//
// What a voice does at ticks is computed by its own code (voices/) on the host, sixteen voices at a time, and written down as records: for
// each quantity its value at each tick and its change a frame. What happens at every frame is tensors' work, [tick, 16, voice].
#pragma once

#include <cstdint>

namespace tutti::gpu {

constexpr int k_torch_interface = 1;
constexpr int k_torch_voices = 1024; // of a batch at most
constexpr int k_torch_ticks = 4;     // of a render block
constexpr int k_torch_banks = 64;    // of a batch at most
// In floats. Not whole pages apart: a row's records would all fall into the same few lines of the first-level cache.
constexpr int k_torch_tick_stride = k_torch_voices + 16;
constexpr int k_torch_record_stride = k_torch_ticks * k_torch_tick_stride + 16;

enum TorchKind : int { torch_subtractive = 0, torch_fm, torch_ambient_pad, torch_torchsynth, k_torch_kinds };

// A pair is a value and, in the next record, its change a frame. "word": a 32-bit integer's bits.
namespace torch_records {
enum OscillatorRecord : int {
    o_phase = 0,               // word
    o_increment,               // pair of words
    o_slope = o_increment + 2, // pair
    o_offset = o_slope + 2,    // pair
    o_corner = o_offset + 2,
    o_width, // pair of words
    o_count = o_width + 2
};
enum OutputRecord : int {
    out_left = 0,             // pair
    out_right = out_left + 2, // pair
    out_open = out_right + 2, // the voice's own low-pass; 1: not there
    out_count
};
namespace subtractive {
enum Record : int {
    r_output = 0,
    r_osc1 = out_count,
    r_osc2 = r_osc1 + o_count,
    r_level1 = r_osc2 + o_count, // pairs
    r_level2 = r_level1 + 2,
    r_ring = r_level2 + 2,
    r_sub = r_ring + 2,
    r_noise = r_sub + 2,
    r_sub_phase = r_noise + 2, // word
    r_sub_slope,               // pair
    r_sub_offset = r_sub_slope + 2,
    r_a1 = r_sub_offset + 2, // pairs
    r_a2 = r_a1 + 2,
    r_a3 = r_a2 + 2,
    r_damping = r_a3 + 2,
    r_seed,  // word
    r_frame, // word: of the stream's clock, at the tick
    r_count
};
enum State : int { s_i1 = 0, s_i2, s_pink, s_muffle = s_pink + 3, s_count };
} // namespace subtractive
namespace fm {
enum OperatorRecord : int { op_phase = 0, op_increment, op_amplitude = op_increment + 2, op_count = op_amplitude + 2 };
enum Record : int { r_output = 0, r_operator = out_count, r_count = r_operator + 6 * op_count };
enum State : int { s_muffle = 0, s_count };
} // namespace fm
namespace ambient_pad {
enum SawRecord : int { saw_phase = 0, saw_increment, saw_slope, saw_offset, saw_count };
enum Record : int {
    r_output = 0,
    r_saw = out_count,
    r_octave = r_saw + 6 * saw_count,
    r_sub_phase, // words
    r_sub_increment,
    r_sub,
    r_seed, // words
    r_frame,
    r_pole,
    r_noise,
    r_near,
    r_a1, // pairs
    r_a2 = r_a1 + 2,
    r_a3 = r_a2 + 2,
    r_count = r_a3 + 2
};
enum State : int {
    s_noise = 0,
    s_noise_right,
    s_left,
    s_right = s_left + 2,
    s_muffle = s_right + 2,
    s_muffle_right,
    s_count
};
} // namespace ambient_pad
namespace torchsynth {
enum VcoRecord : int { vco_step = 0, vco_whole, vco_over, vco_least, vco_most, vco_slope, vco_slope_after, vco_count };
enum Record : int {
    r_output = 0,
    r_position = out_count, // words
    r_position_step,
    r_tick_position,
    r_edge,
    r_shape,
    r_vco_1,
    r_vco_2 = r_vco_1 + vco_count,
    r_level = r_vco_2 +
              vco_count,  // [oscillator 1, oscillator 2, noise]: at the control point, slopes before and after the next
    r_seed = r_level + 9, // words
    r_frame,
    r_count
};
enum State : int { s_phase_1 = 0, s_phase_2, s_muffle, s_count }; // phases are words
} // namespace torchsynth
constexpr int k_most = 64, k_most_states = 8;
static_assert(subtractive::r_count <= k_most && fm::r_count <= k_most && ambient_pad::r_count <= k_most &&
              torchsynth::r_count <= k_most);
} // namespace torch_records

struct TorchBatch {
    int kind = 0;
    std::uint64_t shape = 0;
    int tier = 0; // 0 eco, 1 standard
    int stereo = 0;
    int muffled = 0; // some voice's low-pass is closed
    int voices = 0;
    std::uint64_t moving = 0;       // bit r: record r, a change, is not 0 everywhere
    const float* records = nullptr; // [record][tick][voice], by the strides above
    float* states = nullptr;        // [state][voice], k_torch_tick_stride apart, read and written
    int banks = 0;
    int first[k_torch_banks + 1] = {}; // of the bank's voices; the last one is `voices`
    float* sound = nullptr;            // [bank][2][64], overwritten
};

// `tutti fit`: which parameters of a subtractive patch make its sound most like the target's.
struct TorchFit {
    const float* target = nullptr; // [frames], mono
    int frames = 0;
    double rate = 0.0;
    const float* start = nullptr; // user units, the whole table
    const int* free = nullptr;    // indices of the parameters that may move
    int free_count = 0;
    float key = 60.0f, velocity = 1.0f;
    double gate_seconds = 0.0;
    int steps = 300;
    int (*progress)(void* context, int step, double loss) = nullptr; // may be null; not 0: stop
    void* context = nullptr;
    float* fitted = nullptr; // user units, the whole table
    double first_loss = 0.0, last_loss = 0.0;
};
struct TorchTwin {
    const float* values = nullptr; // user units
    int frames = 0;
    double rate = 0.0;
    float key = 60.0f, velocity = 1.0f;
    double gate_seconds = 0.0;
    float* sound = nullptr; // [frames]: left side, as a stream's mixer gets it
};

struct TorchTable {
    int version = 0;
    // `device`: "cpu", "cuda", "mps", "xpu". Null and, in `why`, the reason. `pure`: no code of our own in the filters.
    void* (*open)(const char* device, int threads, int pure, char* why, int size) = nullptr;
    void (*close)(void* self) = nullptr;
    // 0, or not and the reason.
    int (*render)(void* self, const TorchBatch* batch, char* why, int size) = nullptr;
    int (*fit)(TorchFit* fit, char* why, int size) = nullptr;
    int (*twin)(const TorchTwin* twin, char* why, int size) = nullptr;
    // The loss against `fit->target` at `start` and its gradient by the free parameters, in the units that the fit moves in
    // (octaves where the curve is exponential).
    int (*gradient)(const TorchFit* fit, double* loss, double* gradient, char* why, int size) = nullptr;
    // What a voice a sample costs when every operation is a tensor of one frame: seconds for `frames` frames of `voices` saws
    // through the low-pass.
    double (*eager_seconds)(int voices, int frames, int threads) = nullptr;
    const char* (*libtorch)() = nullptr; // its version
};

} // namespace tutti::gpu

// The library's one symbol.
extern "C" const tutti::gpu::TorchTable* tutti_torch_table(int version);
