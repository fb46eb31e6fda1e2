// SPDX-License-Identifier: MIT
#include "engine/effects/chain.h"

#include <algorithm>
#include <string>

#include "engine/patch/image.h"

namespace tutti::engine {
namespace {

constexpr int k_most_channels = 16;
constexpr std::int64_t k_quiet_frames = 1024; // a low note's zero crossing is no silence

} // namespace

Result<std::unique_ptr<EffectChain>> EffectChain::create(std::span<const PatchEffect> effects, double sample_rate,
                                                         int channels) {
    EffectImage images[PatchImage::k_most_effects];
    int count = 0;
    if (Status status = make_images(effects, images, count); !status) return status;
    return create(std::span<const EffectImage>(images, static_cast<std::size_t>(count)), sample_rate, channels);
}

Result<std::unique_ptr<EffectChain>> EffectChain::create(std::span<const EffectImage> effects, double sample_rate,
                                                         int channels) {
    if (channels < 1 || channels > k_most_channels)
        return Status(Code::out_of_range, std::to_string(channels) + " channels", "the effects were not built",
                      "take 1 to 16");
    std::unique_ptr<EffectChain> chain(new EffectChain);
    chain->m_channels = channels;
    for (const EffectImage& wanted : effects) {
        if (!wanted.enabled) continue;
        Slot slot;
        for (int first = 0; first < channels; first += 2) {
            slot.push_back(wanted.type->create());
            for (int i = 0; i < wanted.type->parameter_count; ++i)
                slot.back()->set_parameter(i, wanted.values[i]);
            if (Status status = slot.back()->prepare(sample_rate, std::min(2, channels - first)); !status)
                return status;
        }
        chain->m_slots.push_back(std::move(slot));
    }
    for (const Slot& slot : chain->m_slots)
        chain->m_latency += slot.front()->latency_frames();
    return chain;
}

const EffectType& EffectChain::type(int effect) const noexcept {
    return m_slots[static_cast<std::size_t>(effect)].front()->type();
}

std::int64_t EffectChain::tail_frames() const noexcept {
    std::int64_t sum = 0;
    for (const Slot& slot : m_slots)
        sum += slot.front()->tail_frames();
    return sum;
}

void EffectChain::set_parameter(int effect, int parameter, float value) noexcept {
    if (effect < 0 || effect >= size()) return;
    for (const auto& copy : m_slots[static_cast<std::size_t>(effect)])
        copy->set_parameter(parameter, value);
}

float EffectChain::parameter(int effect, int parameter) const noexcept {
    return effect >= 0 && effect < size() ? m_slots[static_cast<std::size_t>(effect)].front()->parameter(parameter)
                                          : 0.0f;
}

void EffectChain::set_tempo(double beats_per_minute) noexcept {
    for (const Slot& slot : m_slots)
        for (const auto& copy : slot)
            copy->set_tempo(beats_per_minute);
}

void EffectChain::reset() noexcept {
    for (const Slot& slot : m_slots)
        for (const auto& copy : slot)
            copy->reset();
    m_quiet.clear();
    m_asleep = true;
}

// Falls asleep, if it may. The effects' state stays as it is, all of it silent.
void EffectChain::doze(bool at_tick) noexcept {
    if (!at_tick) return;
    m_quiet.tick();
    if (m_quiet.frames() < k_quiet_frames) return;
    for (const Slot& slot : m_slots)
        for (const auto& copy : slot)
            if (!copy->silent()) return;
    for (const Slot& slot : m_slots)
        for (const auto& copy : slot)
            copy->suspend();
    m_asleep = true;
}

void EffectChain::run(float* const* io, int frames, std::int64_t clock) noexcept {
    for (const Slot& slot : m_slots)
        for (std::size_t pair = 0; pair < slot.size(); ++pair)
            slot[pair]->render(io + 2 * pair, frames, clock);
}

// The loudest of a tick's frames, for the count of quiet ones. Broken samples count as the zeros they become.
void EffectChain::note(float* const* io, int frames) noexcept {
    Peak peak;
    for (int c = 0; c < m_channels; ++c)
        for_frames(0, frames, [&](auto lane, int k) {
            using F = decltype(lane);
            peak.note(sane(load<F>(io[c] + k)));
        });
    m_quiet.note(peak);
}

// Whole ticks on which no chain can fall asleep, whatever they hold: they go through each effect together.
int EffectChain::awake_ticks(int frames, std::int64_t clock) const noexcept {
    if (m_asleep || (clock & (k_tick_frames - 1)) != 0) return 0;
    const std::int64_t sure = (k_quiet_frames - 1 - std::min(m_quiet.frames(), k_quiet_frames)) / k_tick_frames;
    return static_cast<int>(std::min<std::int64_t>(frames / k_tick_frames, sure));
}

void EffectChain::render(float* const* io, int frames, std::int64_t clock) noexcept {
    if (m_slots.empty()) return;
    for (int done = 0; done < frames;) {
        float* here[k_most_channels];
        for (int c = 0; c < m_channels; ++c)
            here[c] = io[c] + done;
        if (const int ticks = awake_ticks(frames - done, clock); ticks > 1) {
            for (int t = 0; t < ticks; ++t) {
                float* tick[k_most_channels];
                for (int c = 0; c < m_channels; ++c)
                    tick[c] = here[c] + t * k_tick_frames;
                m_quiet.tick();
                note(tick, k_tick_frames);
            }
            run(here, ticks * k_tick_frames, clock);
            done += ticks * k_tick_frames;
            clock += ticks * k_tick_frames;
            continue;
        }
        const int begin = static_cast<int>(clock & (k_tick_frames - 1));
        const int count = std::min(k_tick_frames - begin, frames - done);
        if (!m_asleep) doze(begin == 0);
        // The loudest frame of the input, and where it wakes the chain. Broken samples count as the zeros they become.
        int first = 0;
        if (m_asleep) {
            for (; first < count; ++first) {
                float peak = 0.0f;
                for (int c = 0; c < m_channels; ++c)
                    peak = greater_of(peak, magnitude(sane(here[c][first])));
                if (peak >= k_silence) break;
                for (int c = 0; c < m_channels; ++c)
                    here[c][first] = 0.0f;
            }
            if (first < count) {
                m_asleep = false;
                m_quiet.clear();
                // The tick's frames before this one, wherever the calls were split.
                float past[2][k_tick_frames];
                for (const Slot& slot : m_slots)
                    for (const auto& copy : slot) {
                        std::fill(&past[0][0], &past[0][0] + 2 * k_tick_frames, 0.0f);
                        float* const zeros[2] = {past[0], past[1]};
                        if (begin + first > 0) copy->render(zeros, begin + first, clock - begin);
                    }
            }
        }
        if (!m_asleep) {
            for (int c = 0; c < m_channels; ++c)
                here[c] += first;
            note(here, count - first);
            run(here, count - first, clock + first);
        }
        done += count;
        clock += count;
    }
}

} // namespace tutti::engine
