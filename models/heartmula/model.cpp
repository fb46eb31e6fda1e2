// SPDX-License-Identifier: MIT
// Over 400 lines: the weights, where they come from and the one forward pass that both transformers take.
#include <models/heartmula/model.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <tutti/trace.h>

namespace tutti::models {
namespace {

constexpr int k_position_block = 16; // of keys, side by side
constexpr float k_eps = 1e-5f;

std::size_t size(int x) {
    return static_cast<std::size_t>(x);
}

struct Layer {
    RowWeights q, k, v, o, gate, up, down;
    std::vector<float> attention_norm, mlp_norm;
};

struct Transformer {
    MulaFlavor flavor;
    std::vector<Layer> layers;
    std::vector<float> norm;
    std::vector<float> theta;
    std::vector<float> cosines, sines; // [position][head_width / 2], as far as they were needed

    // torchtune's table, each step in FP32: base 500,000, Llama-3 scaling by 32 with the old context of 8,192.
    void make_theta() {
        const int width = flavor.head_width();
        for (int i = 0; i < width / 2; ++i) {
            const float f = 1.0f / std::pow(500000.0f, static_cast<float>(2 * i) / static_cast<float>(width));
            const float wave = 6.2831853071795864769f / f;
            float t = f;
            if (wave > 8192.0f) {
                t = f / 32.0f;
            } else if (wave >= 2048.0f) {
                const float smooth = (8192.0f / wave - 1.0f) / 3.0f;
                t = (1.0f - smooth) * f / 32.0f + smooth * f;
            }
            theta.push_back(t);
        }
    }
    void need_positions(int positions) {
        const std::size_t half = theta.size();
        for (std::size_t p = cosines.size() / half; p < size(positions); ++p)
            for (std::size_t i = 0; i < half; ++i) {
                const float angle = static_cast<float>(p) * theta[i];
                cosines.push_back(std::cos(angle));
                sines.push_back(std::sin(angle));
            }
    }
};

} // namespace

KeyValues::KeyValues(const MulaFlavor& flavor, int positions)
    : m_capacity((positions + k_position_block - 1) / k_position_block * k_position_block) {
    const std::size_t each = size(flavor.layers) * size(flavor.key_width()) * size(m_capacity) * sizeof(float);
    m_keys = Buffer(each);
    m_values = Buffer(each);
}

std::size_t KeyValues::bytes(const MulaFlavor& flavor, int positions) noexcept {
    return 2 * sizeof(float) * size(flavor.layers) * size(flavor.key_width()) *
           size((positions + k_position_block - 1) / k_position_block * k_position_block);
}

struct HeartMula::State {
    explicit State(int threads) : runner(threads), scratch(size(threads)) {}

    HeartMulaConfig config;
    MulaArithmetic arithmetic = MulaArithmetic::fp32;
    std::optional<Checkpoint> checkpoint;
    MemoryPlan plan;
    Transformer backbone, decoder;
    RowWeights text, audio, projection, head0;
    const void* heads = nullptr; // [codebooks - 1][decoder width][audio vocabulary]
    RowKind heads_kind = RowKind::f32;
    std::vector<RowWeights> packed_heads; // int8
    std::vector<float> style_bias, unconditional;
    mutable RowRunner runner;
    std::vector<Buffer> copies;
    std::vector<std::unique_ptr<Linear>> linears;
    std::size_t copied = 0;
    mutable std::vector<Buffer> scratch; // scores of one part
    mutable Buffer normed, query, keys, values, gate, up, mixed, local;

    bool rounds() const noexcept { return arithmetic == MulaArithmetic::bf16; }

    Result<const TensorInfo*> find(const std::string& name, std::initializer_list<int> shape) const {
        std::vector<std::uint64_t> wanted;
        for (int d : shape)
            wanted.push_back(static_cast<std::uint64_t>(d));
        auto tensor = checkpoint->require(name, wanted);
        if (tensor && (*tensor)->dtype != Dtype::f32 && (*tensor)->dtype != Dtype::bf16 &&
            (*tensor)->dtype != Dtype::f16)
            return Status(Code::unsupported,
                          "tensor '" + name + "' is stored as " + std::string(dtype_name((*tensor)->dtype)),
                          "the model is not loaded", "use a checkpoint stored as F32, F16 or BF16");
        return tensor;
    }
    Status small(const std::string& name, std::initializer_list<int> shape, std::vector<float>& out) {
        auto tensor = find(name, shape);
        if (!tensor) return tensor.status();
        out.resize(static_cast<std::size_t>((*tensor)->elements));
        if (Status status = checkpoint->read_f32(**tensor, out); !status) return status;
        if (rounds()) runner.kernels().round_bf16(out.data(), out.size());
        return {};
    }
    // In place; as BF16 where that is the arithmetic.
    Result<const void*> place(const TensorInfo& tensor, bool narrow, RowKind& kind) {
        auto bytes = checkpoint->map(tensor);
        if (!bytes) return bytes.status();
        kind = tensor.dtype == Dtype::f32 ? RowKind::f32 : tensor.dtype == Dtype::f16 ? RowKind::f16 : RowKind::bf16;
        if (kind == RowKind::f32 && reinterpret_cast<std::uintptr_t>(bytes->data()) % alignof(float) != 0)
            return Status(Code::unsupported,
                          checkpoint->file_of(tensor).string() + ": tensor '" + tensor.name + "' is not aligned",
                          "the model is not loaded", "write the file again with any current safetensors library");
        if (!narrow) return static_cast<const void*>(bytes->data());
        if (kind == RowKind::bf16) {
            kind = RowKind::bf16_pairs;
            return static_cast<const void*>(bytes->data());
        }
        copies.emplace_back(static_cast<std::size_t>(tensor.elements) * 2);
        copied += copies.back().bytes();
        auto* to = copies.back().as<std::uint16_t>();
        const auto elements = static_cast<std::int64_t>(tensor.elements);
        constexpr std::int64_t k_piece = 1 << 20;
        const RowKind stored = kind;
        runner.each(static_cast<int>((elements + k_piece - 1) / k_piece), [&](int index, int) {
            std::vector<float> wide(static_cast<std::size_t>(k_piece));
            const std::int64_t from = index * k_piece, n = std::min(k_piece, elements - from);
            runner.kernels().widen(bytes->data() + from * (stored == RowKind::f32 ? 4 : 2), stored,
                                   static_cast<std::size_t>(n), wide.data());
            for (std::int64_t i = 0; i < n; ++i)
                to[from + i] = f32_to_bf16(wide[static_cast<std::size_t>(i)]);
        });
        kind = RowKind::bf16_pairs;
        return static_cast<const void*>(to);
    }
    Status rows(const std::string& name, int n, int k, RowWeights& out, bool product = true) {
        auto tensor = find(name, {n, k});
        if (!tensor) return tensor.status();
        out.n = n;
        out.k = k;
        auto at = place(**tensor, rounds() && product, out.kind);
        if (!at) return at.status();
        out.data = *at;
        if (product && arithmetic == MulaArithmetic::int8)
            pack(out, [&](int row, float* to) {
                runner.kernels().widen(static_cast<const std::byte*>(out.data) +
                                           size(row) * size(k) * (out.kind == RowKind::f32 ? 4 : 2),
                                       out.kind, size(k), to);
            });
        return {};
    }
    // Quantises rows of floats on all threads.
    template <class Row>
    void pack(RowWeights& out, const Row& row) {
        linears.push_back(std::make_unique<Linear>(linear_shape(models::kernels(), Compute::int8, out.n, out.k)));
        Linear& linear = *linears.back();
        const int panel = models::kernels().panel, panels = (out.n + panel - 1) / panel;
        runner.each(panels, [&](int index, int) {
            const int first = index * panel, count = std::min(panel, out.n - first);
            std::vector<float> wide(size(count) * size(out.k));
            for (int i = 0; i < count; ++i)
                row(first + i, wide.data() + size(i) * size(out.k));
            pack_rows(models::kernels(), wide.data(), out.k, first, count, linear);
        });
        copied += linear.bytes();
        out.packed = &linear;
    }
    Status load(const std::string& prefix, Transformer& t) {
        const MulaFlavor& f = t.flavor;
        t.layers.resize(size(f.layers));
        for (int i = 0; i < f.layers; ++i) {
            Layer& l = t.layers[size(i)];
            const std::string at = prefix + ".layers." + std::to_string(i) + ".";
            if (runner.cancelled())
                return Status(Code::cancelled, "loading was cancelled", "the model is not loaded", "start it again");
            for (const Status& status : {rows(at + "attn.q_proj.weight", f.width, f.width, l.q),
                                         rows(at + "attn.k_proj.weight", f.key_width(), f.width, l.k),
                                         rows(at + "attn.v_proj.weight", f.key_width(), f.width, l.v),
                                         rows(at + "attn.output_proj.weight", f.width, f.width, l.o),
                                         rows(at + "mlp.w1.weight", f.hidden, f.width, l.gate),
                                         rows(at + "mlp.w3.weight", f.hidden, f.width, l.up),
                                         rows(at + "mlp.w2.weight", f.width, f.hidden, l.down),
                                         small(at + "sa_norm.scale", {f.width}, l.attention_norm),
                                         small(at + "mlp_norm.scale", {f.width}, l.mlp_norm)})
                if (!status) return status;
        }
        t.make_theta();
        return small(prefix + ".norm.scale", {f.width}, t.norm);
    }

    void norm_rows(const Transformer& t, const std::vector<float>& weight, const float* x, int count,
                   float* out) const {
        const int width = t.flavor.width;
        const auto one = [&](int r) {
            runner.kernels().rms_norm(x + static_cast<std::ptrdiff_t>(r) * width, width, weight.data(), k_eps, rounds(),
                                      out + static_cast<std::ptrdiff_t>(r) * width);
        };
        if (count <= 8)
            for (int r = 0; r < count; ++r)
                one(r);
        else
            runner.each(count, [&](int r, int) { one(r); });
    }
    void forward(Transformer& t, std::span<KeyValues* const> rows, float* x, const MulaProbe& probe,
                 const std::string& name) const;
};

void HeartMula::State::forward(Transformer& t, std::span<KeyValues* const> caches, float* x, const MulaProbe& probe,
                               const std::string& name) const {
    const MulaFlavor& f = t.flavor;
    const int count = static_cast<int>(caches.size()), depth = f.head_width(), key_width = f.key_width();
    const int group = f.heads / f.key_heads;
    const RowKernels& k = runner.kernels();
    std::vector<int> positions(caches.size());
    int longest = 0;
    for (std::size_t r = 0; r < caches.size(); ++r) {
        positions[r] = caches[r]->m_length++;
        longest = std::max(longest, positions[r] + 1);
    }
    t.need_positions(longest);
    const std::size_t wide = size(count) * sizeof(float);
    normed.need(wide * size(f.width));
    query.need(wide * size(f.width));
    mixed.need(wide * size(f.width));
    keys.need(wide * size(key_width));
    values.need(wide * size(key_width));
    gate.need(wide * size(f.hidden));
    up.need(wide * size(f.hidden));
    for (Buffer& one : scratch)
        one.need(sizeof(float) * size(group) * size((longest + 15) / 16 * 16));
    const RowEpilogue store = rounds() ? RowEpilogue::round : RowEpilogue::store;
    const RowEpilogue add = rounds() ? RowEpilogue::add_rounded : RowEpilogue::add;
    const auto tell = [&](const std::string& point) {
        if (!probe) return;
        for (int r = 0; r < count; ++r)
            probe(point, r, positions[size(r)], {x + static_cast<std::ptrdiff_t>(r) * f.width, size(f.width)});
    };
    for (int i = 0; i < f.layers && !runner.cancelled(); ++i) {
        const Layer& l = t.layers[size(i)];
        norm_rows(t, l.attention_norm, x, count, normed.as<float>());
        const RowRunner::Item in[] = {{&l.q, query.as<float>(), f.width},
                                      {&l.k, keys.as<float>(), key_width},
                                      {&l.v, values.as<float>(), key_width}};
        runner.multiply(normed.as<float>(), f.width, count, in, store);
        const auto place_row = [&](int r) {
            KeyValues& cache = *caches[size(r)];
            const int p = positions[size(r)];
            const float* cosines = t.cosines.data() + size(p) * size(depth / 2);
            const float* sines = t.sines.data() + size(p) * size(depth / 2);
            k.turn(query.as<float>() + static_cast<std::ptrdiff_t>(r) * f.width, f.heads, depth, cosines, sines,
                   rounds());
            float* key = keys.as<float>() + static_cast<std::ptrdiff_t>(r) * key_width;
            const float* value = values.as<float>() + static_cast<std::ptrdiff_t>(r) * key_width;
            k.turn(key, f.key_heads, depth, cosines, sines, rounds());
            for (int h = 0; h < f.key_heads; ++h) {
                const std::size_t head = (size(i) * size(f.key_heads) + size(h)) * size(cache.m_capacity) * size(depth);
                float* to = cache.m_keys.as<float>() + head +
                            size(p / k_position_block) * size(depth) * k_position_block + size(p % k_position_block);
                for (int d = 0; d < depth; ++d)
                    to[d * k_position_block] = key[h * depth + d];
                std::memcpy(cache.m_values.as<float>() + head + size(p) * size(depth),
                            value + static_cast<std::ptrdiff_t>(h) * depth, size(depth) * sizeof(float));
            }
        };
        if (count <= 8)
            for (int r = 0; r < count; ++r)
                place_row(r);
        else
            runner.each(count, [&](int r, int) { place_row(r); });
        const auto attend = [&](int index, int part) {
            const int r = index / f.key_heads, h = index % f.key_heads;
            const KeyValues& cache = *caches[size(r)];
            const std::size_t head = (size(i) * size(f.key_heads) + size(h)) * size(cache.m_capacity) * size(depth);
            const std::ptrdiff_t at =
                static_cast<std::ptrdiff_t>(r) * f.width + static_cast<std::ptrdiff_t>(h) * group * depth;
            GroupAttention attention;
            attention.query = query.as<float>() + at;
            attention.group = group;
            attention.depth = depth;
            attention.keys = cache.m_keys.as<float>() + head;
            attention.values = cache.m_values.as<float>() + head;
            attention.length = positions[size(r)] + 1;
            attention.scale = 1.0f / std::sqrt(static_cast<float>(depth));
            attention.scores = scratch[size(part)].as<float>();
            attention.out = mixed.as<float>() + at;
            k.attend(attention);
            if (rounds()) k.round_bf16(attention.out, size(group * depth));
        };
        if (longest <= k_position_block && count <= 8) // too little to share out
            for (int index = 0; index < count * f.key_heads; ++index)
                attend(index, 0);
        else
            runner.each(count * f.key_heads, attend);
        const RowRunner::Item out[] = {{&l.o, x, f.width}};
        runner.multiply(mixed.as<float>(), f.width, count, out, add);
        norm_rows(t, l.mlp_norm, x, count, normed.as<float>());
        const RowRunner::Item both[] = {{&l.gate, gate.as<float>(), f.hidden}, {&l.up, up.as<float>(), f.hidden}};
        runner.multiply(normed.as<float>(), f.width, count, both, store);
        const auto activate = [&](int r) {
            k.silu_multiply(gate.as<float>() + static_cast<std::ptrdiff_t>(r) * f.hidden,
                            up.as<float>() + static_cast<std::ptrdiff_t>(r) * f.hidden, f.hidden, rounds());
        };
        if (count <= 8)
            for (int r = 0; r < count; ++r)
                activate(r);
        else
            runner.each(count, [&](int r, int) { activate(r); });
        const RowRunner::Item down[] = {{&l.down, x, f.width}};
        runner.multiply(gate.as<float>(), f.hidden, count, down, add);
        tell(name + "_layer" + std::to_string(i));
    }
    norm_rows(t, t.norm, x, count, x);
    tell(name + "_out");
}

HeartMula::HeartMula(std::unique_ptr<State> state) : m_state(std::move(state)) {}
HeartMula::HeartMula(HeartMula&&) noexcept = default;
HeartMula& HeartMula::operator=(HeartMula&&) noexcept = default;
HeartMula::~HeartMula() = default;

Result<HeartMula> HeartMula::open(const std::filesystem::path& folder, const HeartMulaConfig& config,
                                  const MulaOptions& options) {
    const trace::Span span("load language model");
    auto state = std::make_unique<State>(std::max(1, options.threads));
    State& s = *state;
    s.config = config;
    s.arithmetic = options.arithmetic;
    s.runner.set_token(options.token);
    auto checkpoint = Checkpoint::open(folder);
    if (!checkpoint) return checkpoint.status();
    s.checkpoint = std::move(checkpoint).value();
    s.backbone.flavor = config.backbone;
    s.decoder.flavor = config.decoder;
    const int wide = config.backbone.width, narrow = config.decoder.width, ids = config.audio_vocabulary;
    RowWeights style;
    for (const Status& status :
         {s.load("backbone", s.backbone), s.load("decoder", s.decoder),
          s.rows("text_embeddings.weight", config.text_vocabulary, wide, s.text, false),
          s.rows("audio_embeddings.weight", ids * config.codebooks, wide, s.audio, false),
          s.rows("projection.weight", narrow, wide, s.projection), s.rows("codebook0_head.weight", ids, wide, s.head0),
          s.rows("muq_linear.weight", wide, config.style_width, style,
                 false), // multiplied with zeros: it need only be there
          s.small("muq_linear.bias", {wide}, s.style_bias),
          s.small("unconditional_text_embedding.weight", {1, wide}, s.unconditional)})
        if (!status) return status;
    if (config.codebooks > 1) {
        auto heads = s.find("audio_head", {config.codebooks - 1, narrow, ids});
        if (!heads) return heads.status();
        auto at = s.place(**heads, s.rounds(), s.heads_kind);
        if (!at) return at.status();
        s.heads = *at;
        if (s.arithmetic == MulaArithmetic::int8) {
            const std::size_t bytes = s.heads_kind == RowKind::f32 ? 4 : 2;
            s.packed_heads.resize(size(config.codebooks - 1));
            for (std::size_t c = 0; c < s.packed_heads.size(); ++c) {
                s.packed_heads[c].n = ids;
                s.packed_heads[c].k = narrow;
                s.pack(s.packed_heads[c], [&](int row, float* to) {
                    const auto* from = static_cast<const std::byte*>(s.heads) + c * size(narrow) * size(ids) * bytes;
                    for (int i = 0; i < narrow; ++i)
                        s.runner.kernels().widen(from + (size(i) * size(ids) + size(row)) * bytes, s.heads_kind, 1,
                                                 to + i);
                });
            }
        }
    }
    s.plan = s.checkpoint->plan(0);
    s.plan.loaded_bytes += s.copied;
    if (s.runner.cancelled())
        return Status(Code::cancelled, "loading was cancelled", "the model is not loaded", "start it again");
    return HeartMula(std::move(state));
}

const HeartMulaConfig& HeartMula::config() const noexcept {
    return m_state->config;
}
const MemoryPlan& HeartMula::plan() const noexcept {
    return m_state->plan;
}
MulaArithmetic HeartMula::arithmetic() const noexcept {
    return m_state->arithmetic;
}
std::size_t HeartMula::copied_bytes() const noexcept {
    return m_state->copied;
}
bool HeartMula::unchanged() const noexcept {
    return m_state->checkpoint->unchanged();
}
void HeartMula::set_token(const CancelToken& token) {
    m_state->runner.set_token(token);
}
void HeartMula::set_threads(int threads) {
    m_state->runner.team().set_threads(threads);
}
bool HeartMula::cancelled() const noexcept {
    return m_state->runner.cancelled();
}

std::size_t HeartMula::frame_bytes() const noexcept {
    const State& s = *m_state;
    const auto of = [](const Transformer& t) {
        std::size_t bytes = 0;
        for (const Layer& l : t.layers)
            for (const RowWeights* w : {&l.q, &l.k, &l.v, &l.o, &l.gate, &l.up, &l.down})
                bytes += w->bytes();
        return bytes;
    };
    const std::size_t passes = size(s.config.codebooks - 1);
    std::size_t heads =
        size(s.config.decoder.width) * size(s.config.audio_vocabulary) * (s.heads_kind == RowKind::f32 ? 4 : 2);
    if (!s.packed_heads.empty()) heads = s.packed_heads.front().bytes();
    return of(s.backbone) + s.head0.bytes() + passes * (of(s.decoder) + s.projection.bytes() + heads);
}

double HeartMula::frame_flop() const noexcept {
    const auto of = [](const MulaFlavor& f) {
        const double w = f.width;
        return 2.0 * f.layers * (2.0 * w * w + 2.0 * w * f.key_width() + 3.0 * w * f.hidden);
    };
    const HeartMulaConfig& c = m_state->config;
    const double ids = c.audio_vocabulary, wide = c.backbone.width, narrow = c.decoder.width;
    // The first of the local passes takes two positions.
    return of(c.backbone) + 2.0 * wide * ids + c.codebooks * (of(c.decoder) + 2.0 * wide * narrow) +
           (c.codebooks - 1) * 2.0 * narrow * ids;
}

Status HeartMula::check(const std::function<bool()>& cancelled) const {
    const State& s = *m_state;
    std::vector<float> piece;
    for (const TensorInfo* tensor : s.checkpoint->tensors()) {
        piece.resize(static_cast<std::size_t>(tensor->elements));
        if (Status status = s.checkpoint->read_f32(*tensor, piece, cancelled); !status) return status;
    }
    return {};
}

void HeartMula::embed_text(TokenId id, bool conditional, float* x) const {
    const State& s = *m_state;
    if (!conditional) {
        std::copy(s.unconditional.begin(), s.unconditional.end(), x);
        return;
    }
    const std::size_t bytes = size(s.text.k) * (s.text.kind == RowKind::f32 ? 4 : 2);
    s.runner.kernels().widen(static_cast<const std::byte*>(s.text.data) + static_cast<std::size_t>(id) * bytes,
                             s.text.kind, size(s.text.k), x);
    if (s.rounds()) s.runner.kernels().round_bf16(x, size(s.text.k));
}

void HeartMula::embed_style(bool conditional, float* x) const {
    const std::vector<float>& from = conditional ? m_state->style_bias : m_state->unconditional;
    std::copy(from.begin(), from.end(), x);
}

void HeartMula::embed_code(int codebook, std::int32_t code, float* x) const {
    const State& s = *m_state;
    const std::size_t row = size(code) + size(codebook) * size(s.config.audio_vocabulary);
    const std::size_t bytes = size(s.audio.k) * (s.audio.kind == RowKind::f32 ? 4 : 2);
    s.runner.kernels().widen(static_cast<const std::byte*>(s.audio.data) + row * bytes, s.audio.kind, size(s.audio.k),
                             x);
    if (s.rounds()) s.runner.kernels().round_bf16(x, size(s.audio.k));
}

void HeartMula::embed_frame(std::span<const std::int32_t> codes, float* x) const {
    const State& s = *m_state;
    const std::size_t width = size(s.audio.k);
    std::vector<float> one(width);
    std::fill(x, x + width, 0.0f);
    for (std::size_t c = 0; c < codes.size(); ++c) {
        embed_code(static_cast<int>(c), codes[c], one.data());
        for (std::size_t i = 0; i < width; ++i)
            x[i] += one[i];
    }
    if (s.rounds()) s.runner.kernels().round_bf16(x, width);
}

void HeartMula::backbone(std::span<KeyValues* const> rows, float* x, const MulaProbe& probe) const {
    const trace::Span span("backbone", static_cast<std::int32_t>(rows.size()));
    m_state->forward(m_state->backbone, rows, x, probe, "backbone");
}

void HeartMula::decoder(std::span<KeyValues* const> rows, const float* x, float* out, const MulaProbe& probe) const {
    const trace::Span span("local decoder", static_cast<std::int32_t>(rows.size()));
    const State& s = *m_state;
    const RowRunner::Item item[] = {{&s.projection, out, s.config.decoder.width}};
    s.runner.multiply(x, s.config.backbone.width, static_cast<int>(rows.size()), item,
                      s.rounds() ? RowEpilogue::round : RowEpilogue::store);
    if (probe)
        for (std::size_t r = 0; r < rows.size(); ++r)
            probe("local_in", static_cast<int>(r), 0,
                  {out + r * size(s.config.decoder.width), size(s.config.decoder.width)});
    m_state->forward(m_state->decoder, rows, out, probe, "local");
}

void HeartMula::logits(int codebook, int rows, const float* hidden, float* out) const {
    const State& s = *m_state;
    const int ids = s.config.audio_vocabulary;
    if (codebook == 0 || !s.packed_heads.empty()) {
        const RowWeights& head = codebook == 0 ? s.head0 : s.packed_heads[size(codebook - 1)];
        const RowRunner::Item item[] = {{&head, out, ids}};
        return s.runner.multiply(hidden, head.k, rows, item, s.rounds() ? RowEpilogue::round : RowEpilogue::store);
    }
    ColumnProduct product;
    const std::size_t values = size(s.config.decoder.width) * size(ids);
    product.weights =
        static_cast<const std::byte*>(s.heads) + size(codebook - 1) * values * (s.heads_kind == RowKind::f32 ? 4 : 2);
    product.kind = s.heads_kind;
    product.w_step = ids;
    product.k = s.config.decoder.width;
    std::vector<float> rounded;
    product.a = hidden;
    if (s.rounds()) {
        rounded.assign(hidden, hidden + size(rows) * size(product.k));
        s.runner.kernels().round_bf16(rounded.data(), rounded.size());
        product.a = rounded.data();
    }
    product.a_step = s.config.decoder.width;
    product.rows = rows;
    product.c = out;
    product.c_step = ids;
    product.round = s.rounds();
    s.runner.mix(product, ids);
}

} // namespace tutti::models
