// SPDX-License-Identifier: MIT
// Over 400 lines: one class; events, steps and mix share what a step knows.
#include "engine/stream/core.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <tutti/trace.h>

namespace tutti::engine {

using voices::k_block_frames;
using voices::k_tick_frames;

Core::Core(const StreamConfig& config, EventQueue& queue)
    : m_queue(queue), m_config(config), m_transport(config.sample_rate),
      m_parts(static_cast<std::size_t>(config.parts)), m_waiting(EventQueue::most_waiting(config.events)),
      m_batch(m_waiting.size()) {
    for (int i = 0; i < config.parts; ++i) {
        const int group = i / 16 * 16;
        m_parts[static_cast<std::size_t>(i)].prepare(&m_parts[static_cast<std::size_t>(group)], i,
                                                     std::min(16, config.parts - group), config.sample_rate,
                                                     &m_tunings);
        m_parts[static_cast<std::size_t>(i)].spread().prepare(config.layout, config.channels, config.sample_rate);
    }
    m_counts.limit = config.voices;
    m_candidates.reserve(std::min(k_most_candidates, static_cast<std::size_t>(config.voices)));
    m_active.reserve(m_parts.size());
    m_jobs.reserve(static_cast<std::size_t>(4 * config.parts + 16));
    m_banks.resize(static_cast<std::size_t>(4 * config.parts + 16));
    m_rest_gains.resize(m_banks.size());
    m_waiting.clear(); // made full size: touched here, and not in a callback
    m_batch.clear();
    m_mix.assign(static_cast<std::size_t>(config.channels) * k_block_frames, 0.0f);
    m_master.prepare(config.sample_rate, config.channels, config.limiter);
    for (SendBus& send : m_sends)
        send.prepare(config.channels);
    m_soft_start = config.soft_start ? static_cast<std::int64_t>(0.02 * config.sample_rate) : 0;
}

void Core::drain() noexcept {
    if (!m_queue.has_more_than(m_waiting.size() + m_batch.size() - m_batch_next)) return;
    Item item;
    while (m_queue.take(item)) {
        if (item.event.frame < m_frame) {
            if (!item.stamped) ++m_late;
            item.event.frame = m_frame;
        }
        m_waiting.push_back(item);
        std::push_heap(m_waiting.begin(), m_waiting.end(), Item::later);
    }
    // A frame whose batch was taken out already may get company.
    if (m_batch_next < m_batch.size() && !m_waiting.empty() &&
        m_waiting.front().event.frame <= m_batch[m_batch_next].event.frame) {
        for (; m_batch_next < m_batch.size(); ++m_batch_next) {
            m_waiting.push_back(m_batch[m_batch_next]);
            std::push_heap(m_waiting.begin(), m_waiting.end(), Item::later);
        }
    }
}

// Takes all events of the earliest frame out of the heap, in order.
bool Core::next_batch() noexcept {
    if (m_batch_next < m_batch.size()) return true;
    m_batch.clear();
    m_batch_next = 0;
    while (!m_waiting.empty() && (m_batch.empty() || m_waiting.front().event.frame == m_batch.front().event.frame)) {
        m_batch.push_back(m_waiting.front());
        std::pop_heap(m_waiting.begin(), m_waiting.end(), Item::later);
        m_waiting.pop_back();
    }
    return !m_batch.empty();
}

// A bank has one shape a step, and effects render a step at a time: what changes either starts a new step.
bool Core::splits(const Item& item) const noexcept {
    const EventType type = item.event.type;
    if (type == EventType::effect || type == EventType::effects || type == EventType::patch || type == EventType::tempo)
        return true;
    if (type != EventType::parameter && type != EventType::midi) return false;
    const auto changes = [&](const StreamPart& part) noexcept {
        if (type == EventType::midi)
            return part.changes_shape(item.event.index, item.event.key & 127, static_cast<int>(item.event.value));
        const Instance* const instance = part.first();
        return instance != nullptr && instance->type() != nullptr &&
               instance->parameters().changes_shape(static_cast<int>(item.event.parameter), item.event.value);
    };
    if (item.event.part != k_every_part) return item.event.part < m_parts.size() && changes(m_parts[item.event.part]);
    for (const int p : m_active)
        if (changes(m_parts[static_cast<std::size_t>(p)])) return true;
    return false;
}

// Nothing happens before `end`: no event, no timer.
bool Core::nothing_comes(std::int64_t end) noexcept {
    if (m_shed_wanted > 0 || (next_batch() && m_batch[m_batch_next].event.frame < end)) return false;
    for (std::int64_t tick = tick_ceil(m_frame); tick < end; tick += k_tick_frames)
        if (m_wheel.any(tick / k_tick_frames) || m_transport.wraps(tick - k_tick_frames, tick)) return false;
    return true;
}

// No value is on its way to another: where nothing comes, ticks change nothing.
bool Core::is_still() const noexcept {
    for (const int p : m_active)
        if (!m_parts[static_cast<std::size_t>(p)].still()) return false;
    return true;
}

// After a step in which nothing came and all was still.
void Core::try_to_rest() noexcept {
    m_resting = true;
    m_plain = m_config.layout == Layout::discrete && m_longest.frames == 0 && m_longest.before == 0 &&
              !m_master.has_effects();
    for (const SendBus& send : m_sends)
        m_plain = m_plain && !send.has_effects();
    int bank = 0;
    for (const int p : m_active) {
        const StreamPart& part = m_parts[static_cast<std::size_t>(p)];
        const Instance& instance = *part.first();
        const bool rings =
            instance.silent() && (m_longest.frames != 0 || m_longest.before != 0); // in its alignment, perhaps
        if (instance.next != nullptr || part.has_clips() || !instance.rests() || rings) {
            m_resting = false;
            return;
        }
        m_plain = m_plain && !instance.has_effects();
        if (instance.silent()) continue;
        const TickGains& gains = part.level().gains(m_step_frame);
        for (int side = 0; side < 3; ++side)
            m_rest_gains[static_cast<std::size_t>(bank)].side[side] =
                gains.begin[side] * static_cast<float>(instance.gain());
        ++bank;
    }
}

int Core::begin_step(int frames, BankStep* banks, int& count) noexcept {
    m_step_frame = m_frame;
    std::int64_t end = std::min(m_frame + frames, (m_frame / k_block_frames + 1) * k_block_frames);
    const bool nothing = nothing_comes(end);
    if (m_resting && nothing) {
        m_step_frames = static_cast<int>(end - m_step_frame);
        for (int i = 0; i < m_bank_count; ++i) {
            Bank& bank = m_banks[static_cast<std::size_t>(i)];
            bank.muted_voices = 0;
            banks[count++] = {&bank, {m_step_frame, m_step_frames}};
        }
        return m_step_frames;
    }
    m_resting = false;
    if (m_frame % k_block_frames == 0)
        for (const int p : m_active)
            m_parts[static_cast<std::size_t>(p)].let_go();
    for (const int p : m_active)
        m_parts[static_cast<std::size_t>(p)].begin_step(m_frame);

    std::int64_t tick = tick_ceil(m_frame);
    const bool quiet = nothing && is_still();
    while (!quiet) {
        const std::int64_t event = next_batch() ? m_batch[m_batch_next].event.frame : INT64_MAX;
        const std::int64_t at = std::min(tick, event);
        if (at >= end) break;
        if (at > m_step_frame) {
            bool stop = false;
            for (const int p : m_active)
                stop = stop || m_parts[static_cast<std::size_t>(p)].crowded();
            if (event == at)
                for (std::size_t i = m_batch_next; i < m_batch.size() && !stop; ++i)
                    stop = splits(m_batch[i]);
            if (stop) {
                end = at;
                break;
            }
        }
        for (const int p : m_active)
            m_parts[static_cast<std::size_t>(p)].begin_frame();
        if (at == tick) m_wheel.run(tick / k_tick_frames, [&](Timer& timer) noexcept { Voices::fire(timer, at); });
        if (m_shed_wanted > 0 && at == m_step_frame) shed_quietest(at);
        if (event == at) {
            int done = 0;
            while (m_batch_next < m_batch.size() && room(m_batch[m_batch_next].event)) {
                apply(m_batch[m_batch_next++], at);
                ++done;
            }
            m_queue.done(done);
            // The frame is full: the rest comes a frame later.
            for (std::size_t i = m_batch_next; i < m_batch.size(); ++i) {
                ++m_batch[i].event.frame;
                ++m_late;
            }
            if (m_batch_next < m_batch.size() && !m_waiting.empty() && m_waiting.front().event.frame == at + 1) {
                for (; m_batch_next < m_batch.size(); ++m_batch_next) {
                    m_waiting.push_back(m_batch[m_batch_next]);
                    std::push_heap(m_waiting.begin(), m_waiting.end(), Item::later);
                }
            }
        }
        if (at == tick) {
            const bool wraps = m_transport.wraps(tick - k_tick_frames, tick);
            for (const int p : m_active) {
                if (wraps) m_parts[static_cast<std::size_t>(p)].set_transport(m_transport, tick);
                m_parts[static_cast<std::size_t>(p)].tick(tick);
            }
            tick += k_tick_frames;
        }
        if (at == m_step_frame)
            for (const int p : m_active)
                for (Instance* i = m_parts[static_cast<std::size_t>(p)].first(); i != nullptr; i = i->next)
                    if (i->type() != nullptr && i->table().shape_changed()) i->refresh_shape();
    }
    m_step_frames = static_cast<int>(end - m_step_frame);
    m_bank_count = 0;
    for (const int p : m_active)
        for (Instance* i = m_parts[static_cast<std::size_t>(p)].first(); i != nullptr; i = i->next) {
            Bank& bank = m_banks[static_cast<std::size_t>(m_bank_count)];
            if (!i->fill_bank(bank)) continue;
            bank.muted_voices = 0;
            banks[count++] = {&bank, {m_step_frame, m_step_frames}};
            ++m_bank_count;
        }
    if (quiet) try_to_rest();
    return m_step_frames;
}

// A part's fades are no more edits than an event that silences all of it; a part without room for them keeps its voices.
void Core::shed_quietest(std::int64_t frame) noexcept {
    m_candidates.clear();
    for (const int p : m_active) {
        if (!m_parts[static_cast<std::size_t>(p)].room()) continue;
        for (Instance* i = m_parts[static_cast<std::size_t>(p)].first(); i != nullptr; i = i->next) {
            if (i->type() == nullptr) continue;
            Voices& voices = i->voices();
            voices.each([&](const Note& note) noexcept {
                if (m_candidates.size() < m_candidates.capacity())
                    m_candidates.push_back({voices.loudness(note, frame) * i->gain(), &voices, note.slot, note.copies});
            });
        }
    }
    // Slots are what costs; the quietest first, the same ones whatever the order of the list.
    const auto quieter = [](const Candidate& a, const Candidate& b) noexcept { return a.loudness < b.loudness; };
    const std::size_t most = std::min(m_candidates.size(), static_cast<std::size_t>(m_shed_wanted));
    std::partial_sort(m_candidates.begin(), m_candidates.begin() + static_cast<std::ptrdiff_t>(most),
                      m_candidates.end(), quieter);
    int slots = 0;
    for (std::size_t i = 0; i < most && slots < m_shed_wanted; ++i) {
        m_candidates[i].voices->shed(frame, m_candidates[i].slot);
        slots += m_candidates[i].copies;
    }
    m_shed_wanted = 0;
}

bool Core::room(const Event& event) const noexcept {
    if (event.part != k_every_part) return event.part >= m_parts.size() || m_parts[event.part].room();
    for (const int p : m_active)
        if (!m_parts[static_cast<std::size_t>(p)].room()) return false;
    return true;
}

void Core::refresh_active(std::int64_t frame) noexcept {
    m_active.clear();
    int longest = 0;
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
        if (m_parts[p].first() == nullptr) continue;
        m_active.push_back(static_cast<int>(p));
        longest = std::max(longest, m_parts[p].first()->latency());
    }
    m_longest.set(longest, frame);
}

void Core::apply(const Item& item, std::int64_t frame) noexcept {
    const Event& event = item.event;
    switch (event.type) {
    case EventType::patch: {
        auto* const instance = static_cast<Instance*>(item.object);
        StreamPart& part = m_parts[event.part];
        instance->attach(m_wheel, m_counts, frame);
        if (part.first() == nullptr) part.settle(frame);
        part.take(*instance, m_transport, frame, m_step_frame);
        refresh_active(frame);
        return;
    }
    case EventType::tuning: {
        auto& table = *static_cast<TuningTable*>(item.object);
        const bool follow = event.index == 0; // 1: for notes to come only
        if (event.part != k_every_part) {
            m_parts[event.part].tune(table, frame, follow);
        } else {
            const auto number = static_cast<int>(event.parameter);
            m_tunings.take(number, table);
            for (StreamPart& part : m_parts)
                if (part.tuning_program() == number) part.tune(table, frame, follow);
        }
        // What it says has been copied.
        table.retired.set();
        return;
    }
    case EventType::clip: {
        auto& start = *static_cast<ClipStart*>(item.object);
        if (event.index != 0) {
            start.player->stop(frame);
        } else {
            StreamPart& part = m_parts[event.part];
            if (part.first() == nullptr) {
                part.settle(frame);
                part.take(*start.bus, m_transport, frame, m_step_frame);
                refresh_active(frame);
            } else {
                start.bus->retired.set();
            }
            start.player->start(frame);
            part.take(*start.player);
        }
        // Release: the event is done with the clip.
        start.player->pending.fetch_sub(1, std::memory_order_release);
        return;
    }
    case EventType::place:
        if (event.part < m_parts.size())
            m_parts[event.part].spread().aim(event.value, std::bit_cast<float>(event.parameter));
        return;
    case EventType::effects:
        finish();
        if (event.index == 0)
            m_master.take(static_cast<MasterEffects*>(item.object), m_transport.tempo(), frame);
        else
            m_sends[event.index - 1].take(static_cast<MasterEffects*>(item.object), m_transport.tempo());
        return;
    case EventType::tempo:
        finish();
        m_transport.set_tempo(event.value, frame);
        m_master.set_tempo(m_transport.tempo());
        for (SendBus& send : m_sends)
            send.set_tempo(m_transport.tempo());
        break;
    case EventType::position:
        m_transport.set_position(event.value, frame);
        break;
    case EventType::transport:
        m_transport.play(event.index != 0, frame);
        break;
    case EventType::loop:
        m_transport.set_loop(event.value, event.parameter / 960.0, frame);
        break;
    case EventType::effect:
        finish();
        if (event.part == k_every_part)
            m_master.set_parameter(event.index, static_cast<int>(event.parameter), static_cast<float>(event.value));
        else if (event.part < m_parts.size())
            m_parts[event.part].set_effect(event.index, static_cast<int>(event.parameter), event.value);
        return;
    default:
        if (event.part == k_every_part) {
            for (std::size_t p = 0; p < m_parts.size(); ++p)
                apply_to_part(event, static_cast<int>(p), frame);
        } else if (event.part < m_parts.size()) {
            apply_to_part(event, event.part, frame);
        }
        return;
    }
    for (const int p : m_active)
        m_parts[static_cast<std::size_t>(p)].set_transport(m_transport, frame);
}

void Core::apply_to_part(const Event& event, int index, std::int64_t frame) noexcept {
    StreamPart& part = m_parts[static_cast<std::size_t>(index)];
    const int key = event.key & 127;
    switch (event.type) {
    case EventType::note_on:
        return part.note_on(frame, key, event.value, event.note_id, event.parameter);
    case EventType::note_off:
        return part.note_off(frame, key, event.note_id);
    case EventType::note_choke:
        return part.choke(frame, key, event.note_id);
    case EventType::note_expression:
        return part.express(frame, key, event.note_id, static_cast<NoteExpression>(event.index), event.value);
    case EventType::midi:
        if (event.value >= 0.0 && event.value <= 16383.0)
            part.midi(frame, event.index, key, static_cast<int>(event.value));
        return;
    case EventType::parameter:
        return part.set_parameter(frame, static_cast<int>(event.parameter), event.value);
    case EventType::macro:
        return part.set_macro(event.index, event.value);
    case EventType::controller_map:
        return part.map_controller(key, event.parameter);
    case EventType::all_notes_off:
        return part.all_notes_off(frame);
    case EventType::all_sound_off:
        return part.all_sound_off(frame);
    default:
        return;
    }
}

namespace {

// mix[i] += bus[i] * gain, the gain a line from tick to tick; the same products wherever a step begins.
void add_ramped(float* mix, const float* bus, int begin, int end, float from, float to, float scale) noexcept {
    from *= scale;
    to *= scale;
    if (from == to) {
        for (int i = begin; i < end; ++i)
            mix[i] += bus[i] * from;
        return;
    }
    const float slope = (to - from) * (1.0f / k_tick_frames);
    for (int i = begin; i < end; ++i)
        mix[i] += bus[i] * (from + slope * static_cast<float>(i & (k_tick_frames - 1)));
}

// The bits of the greatest magnitude, `most` among them. Magnitudes compare as the integers of their bits do, several at once;
// what is not a number is the greatest.
std::int32_t loudest(const float* x, int frames, std::int32_t most) noexcept {
    for (int i = 0; i < frames; ++i) {
        std::int32_t bits;
        std::memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7fffffff;
        most = most > bits ? most : bits;
    }
    return most;
}

} // namespace

void Core::wait_for_clips() noexcept {
    for (const int p : m_active)
        m_parts[static_cast<std::size_t>(p)].wait_for_clips(m_step_frame, m_step_frames);
}

int Core::effect_jobs() noexcept {
    m_jobs.clear();
    if (m_resting && m_plain) return 0;
    for (const int p : m_active) {
        StreamPart& part = m_parts[static_cast<std::size_t>(p)];
        part.add_clips(m_step_frame, m_step_frames, m_config.channels, m_dry);
        for (Instance* instance = part.first(); instance != nullptr; instance = instance->next)
            if (instance->effects_due() && m_jobs.size() < m_jobs.capacity()) m_jobs.push_back({instance, p});
    }
    return static_cast<int>(m_jobs.size());
}

void Core::run_effect_job(int job, bool apart) noexcept {
    const EffectJob& work = m_jobs[static_cast<std::size_t>(job)];
    if (!apart) return work.instance->render_effects(m_step_frame, m_step_frames);
    const trace::Span span("part effects", work.part);
    work.instance->render_effects(m_step_frame, m_step_frames);
}

// The mix of a resting step, straight to where it goes; the same bits as end_step() makes of it. Returns the peak.
float Core::mix_resting(float* const* out, int at) noexcept {
    const auto first = static_cast<int>(m_step_frame % k_block_frames);
    const int frames = m_step_frames;
    std::int32_t most = 0;
    for (int c = 0; c < m_config.channels; ++c) {
        const int side = m_config.channels == 2 ? c : 2;
        float* const to = out != nullptr ? out[c] + at : m_mix.data() + c * k_block_frames + first;
        if (m_bank_count == 0) std::fill_n(to, frames, 0.0f);
        for (int b = 0; b < m_bank_count; ++b) {
            const auto bank = static_cast<std::size_t>(b);
            const float* const bus = m_banks[bank].bus[c] + first;
            const float gain = m_rest_gains[bank].side[side];
            if (b == 0)
                for (int i = 0; i < frames; ++i)
                    to[i] = 0.0f + bus[i] * gain;
            else
                for (int i = 0; i < frames; ++i)
                    to[i] += bus[i] * gain;
        }
        most = loudest(to, frames, most);
    }
    const auto peak = std::bit_cast<float>(most);
    if (m_master.passes(peak)) return peak;
    const auto size = static_cast<std::size_t>(frames) * sizeof(float);
    for (int c = 0; out != nullptr && c < m_config.channels; ++c)
        std::memcpy(m_mix.data() + c * k_block_frames + first, out[c] + at, size);
    m_master.limit(m_mix.data(), m_step_frame, frames);
    for (int c = 0; c < m_config.channels; ++c) {
        const float* const mix = m_mix.data() + c * k_block_frames + first;
        most = loudest(mix, frames, c == 0 ? 0 : most);
        if (out != nullptr) std::memcpy(out[c] + at, mix, size);
    }
    return std::bit_cast<float>(most);
}

void Core::end_step(float* const* out, int at) noexcept {
    if (m_resting && m_plain && m_step_frame >= m_soft_start) {
        count_muted();
        m_peak = std::max(m_peak, mix_resting(out, at));
        publish_peak(m_step_frame + m_step_frames);
        return step_done();
    }
    mix_parts(false);
    begin_finish(out, at);
    step_done();
    finish();
}

void Core::count_muted() noexcept {
    for (int i = 0; i < m_bank_count; ++i)
        m_muted += m_banks[static_cast<std::size_t>(i)].muted_voices;
}

// --- the step's parts side by side, and beside the last step's finish

bool Core::can_run_side_by_side() const noexcept {
    for (const int p : m_active)
        if (m_parts[static_cast<std::size_t>(p)].has_clips()) return false;
    return true;
}

void Core::run_side_by_side(Backend& backend, BankStep* banks, int count, int threads) noexcept {
    m_jobs.clear();
    for (const bool sounding : {true, false}) // the banks' own first, in their order
        for (const int p : m_active)
            for (Instance* i = m_parts[static_cast<std::size_t>(p)].first(); i != nullptr; i = i->next) {
                if (i->silent() == sounding || m_jobs.size() == m_jobs.capacity()) continue;
                if (sounding || i->effects_due() || i->align_due(m_longest, m_step_frame)) m_jobs.push_back({i, p});
            }
    const int jobs = static_cast<int>(m_jobs.size()) + (m_finish.pending ? 1 : 0);
    const auto run = [](void* core, int i) noexcept { static_cast<Core*>(core)->run_part_job(i); };
    backend.render_with(banks, count, run, this, jobs, threads);
}

void Core::run_part_job(int job) noexcept {
    if (job == static_cast<int>(m_jobs.size())) {
        const trace::Span span("finish");
        return finish();
    }
    const EffectJob& work = m_jobs[static_cast<std::size_t>(job)];
    if (work.instance->effects_due()) {
        const trace::Span span("part effects", work.part);
        work.instance->render_effects(m_step_frame, m_step_frames);
    }
    work.instance->align(m_longest, m_step_frame, m_step_frames);
}

void Core::end_step_later(float* const* out, int at) noexcept {
    mix_parts(true);
    begin_finish(out, at);
    step_done();
}

// --- mix and finish

void Core::mix_parts(bool aligned) noexcept {
    finish(); // the mix and the sends are its
    const int first = static_cast<int>(m_step_frame % k_block_frames);
    const int last = first + m_step_frames;
    count_muted();
    for (int c = 0; c < m_config.channels; ++c)
        std::fill_n(m_mix.data() + c * k_block_frames + first, m_step_frames, 0.0f);

    for (const int p : m_active) {
        StreamPart& part = m_parts[static_cast<std::size_t>(p)];
        for (Instance* instance = part.first(); instance != nullptr; instance = instance->next) {
            if (!aligned) instance->align(m_longest, m_step_frame, m_step_frames);
            if (instance->silent()) continue;
            for (int begin = first; begin < last;) {
                const int end = part.level().still() && m_config.layout == Layout::discrete
                                    ? last
                                    : std::min(last, (begin / k_tick_frames + 1) * k_tick_frames);
                const TickGains& gains = part.level().gains(m_step_frame - first + begin);
                if (m_config.layout != Layout::discrete) {
                    part.spread().add(m_mix.data(), *instance, gains, begin, end);
                    begin = end;
                    continue;
                }
                for (int c = 0; c < m_config.channels; ++c) {
                    const int side = m_config.channels == 2 ? c : 2;
                    const auto gain = static_cast<float>(instance->gain());
                    add_ramped(m_mix.data() + c * k_block_frames, instance->bus(c), begin, end, gains.begin[side],
                               gains.end[side], gain);
                    for (int send = 0; send < k_sends; ++send) {
                        const float level = gain * static_cast<float>(instance->send(send));
                        if (level == 0.0f) continue;
                        add_ramped(m_sends[send].open(c, first, last), instance->bus(c), begin, end,
                                   gains.begin[side] * gains.begin[3], gains.end[side] * gains.end[3], level);
                    }
                }
                begin = end;
            }
        }
    }
}

void Core::begin_finish(float* const* out, int at) noexcept {
    m_finish.pending = true;
    m_finish.frame = m_step_frame;
    m_finish.frames = m_step_frames;
    for (int c = 0; c < m_config.channels; ++c)
        m_finish.out[c] = out != nullptr ? out[c] + at : nullptr;
}

void Core::finish() noexcept {
    if (!m_finish.pending) return;
    m_finish.pending = false;
    const std::int64_t begin = m_finish.frame;
    const int frames = m_finish.frames;
    const int first = static_cast<int>(begin % k_block_frames);
    for (SendBus& send : m_sends) {
        send.render(begin, frames);
        send.add_to(m_mix.data(), begin, frames);
    }
    m_master.render_effects(m_mix.data(), begin, frames);
    for (int i = 0; i < frames && begin + i < m_soft_start; ++i) {
        const float gain = static_cast<float>(begin + i) / static_cast<float>(m_soft_start);
        for (int c = 0; c < m_config.channels; ++c)
            m_mix[static_cast<std::size_t>(c * k_block_frames + first + i)] *= gain;
    }
    const auto mix_peak = [&]() noexcept {
        std::int32_t most = 0;
        for (int c = 0; c < m_config.channels; ++c)
            most = loudest(m_mix.data() + c * k_block_frames + first, frames, most);
        return std::bit_cast<float>(most);
    };
    float peak = mix_peak();
    if (!m_master.passes(peak)) {
        m_master.limit(m_mix.data(), begin, frames);
        peak = mix_peak();
    }
    m_peak = std::max(m_peak, peak);
    publish_peak(begin + frames);
    for (int c = 0; c < m_config.channels; ++c) {
        const float* const mix = m_mix.data() + c * k_block_frames + first;
        if (m_finish.out[c] != nullptr)
            std::memcpy(m_finish.out[c], mix, static_cast<std::size_t>(frames) * sizeof(float));
    }
}

void Core::publish_peak(std::int64_t end) noexcept {
    if (end % k_block_frames != 0) return;
    m_peak_seen.store(m_peak, std::memory_order_relaxed);
    m_peak = 0.0f;
}

void Core::step_done() noexcept {
    m_frame += m_step_frames;
    // Tails are sums over effects: worth a look now and then only.
    if (m_frame % 8192 == 0) m_tail_seen.store(tail(), std::memory_order_relaxed);
    publish();
}

std::int64_t Core::tail() noexcept {
    std::int64_t longest = 0;
    for (const int p : m_active)
        for (Instance* i = m_parts[static_cast<std::size_t>(p)].first(); i != nullptr; i = i->next)
            if (i->effects() != nullptr) longest = std::max(longest, i->effects()->tail_frames());
    std::int64_t rooms = 0;
    for (const SendBus& send : m_sends)
        rooms = std::max(rooms, send.tail_frames());
    return longest + rooms + m_master.tail_frames();
}

void Core::publish() noexcept {
    // Relaxed: each is a number of its own.
    m_late_seen.store(m_late, std::memory_order_relaxed);
    m_stolen_seen.store(m_counts.stolen, std::memory_order_relaxed);
    m_shed_seen.store(m_counts.shed, std::memory_order_relaxed);
    m_muted_seen.store(m_muted, std::memory_order_relaxed);
    m_dry_seen.store(m_dry, std::memory_order_relaxed);
    m_voices_seen.store(m_counts.notes, std::memory_order_relaxed);
}

void Core::add_to(StreamStats& stats) const noexcept {
    stats.late_events = m_late_seen.load(std::memory_order_relaxed);
    stats.stolen_voices = m_stolen_seen.load(std::memory_order_relaxed);
    stats.shed_voices = m_shed_seen.load(std::memory_order_relaxed);
    stats.muted_voices = m_muted_seen.load(std::memory_order_relaxed);
    stats.dry_clips = m_dry_seen.load(std::memory_order_relaxed);
    stats.voices = m_voices_seen.load(std::memory_order_relaxed);
    stats.peak = m_peak_seen.load(std::memory_order_relaxed);
}

} // namespace tutti::engine
