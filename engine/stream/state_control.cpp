// SPDX-License-Identifier: MIT
// What the control side does with a stream: patches, tunings, effects, places and clips on their way to the renderer.
#include <algorithm>
#include <cmath>
#include <string>

#include "engine/stream/state.h"

#include "engine/effects/reverb.h"

namespace tutti::engine {

// Room for one more: after its event is posted nothing may fail any more.
template <class List>
static void make_room(List& list) {
    if (list.size() == list.capacity()) list.reserve(2 * list.size() + 4);
}

void StreamState::collect() {
    // Acquire: pairs with the renderer's release, its last use.
    std::erase_if(m_instances, [](const auto& i) { return i->retired.is_set(); });
    std::erase_if(m_effects, [](const auto& e) { return e->retired.is_set(); });
    std::erase_if(m_clips, [](const auto& c) {
        return c->player->retired.is_set() && c->player->pending.load(std::memory_order_acquire) == 0 &&
               (c->bus == nullptr || c->bus->retired.is_set());
    });
    std::erase_if(m_tunings, [](const auto& t) { return t->retired.is_set(); });
}

Status StreamState::set_patch(int part, const Patch& patch, std::int64_t frame) {
    if (part < 0 || part >= m_config.parts)
        return Status(Code::out_of_range, "part " + std::to_string(part) + " does not exist", "the patch was not set",
                      "choose 0.." + std::to_string(m_config.parts - 1));
    const voices::VoiceType* const type = m_hooks.find_voice_type ? m_hooks.find_voice_type(patch.voice) : nullptr;
    if (type == nullptr)
        return Status(Code::not_found, "there is no voice type '" + patch.voice + "'",
                      "patch '" + patch.name + "' was not loaded", "see: tutti patches list");
    PatchImage image;
    if (Status status = make_image(patch, *type, image); !status) return status;
    return set_patch(part, image, frame);
}

Status StreamState::set_patch(int part, const PatchImage& image, std::int64_t frame) {
    InstanceSpec spec;
    spec.sample_rate = m_config.sample_rate;
    spec.channels = m_config.channels;
    spec.seed = m_config.seed;
    spec.part = part;
    {
        const std::lock_guard lock(m_mutex);
        collect(); // what has rung out makes room
    }
    Result<std::unique_ptr<Instance>> made = Instance::make(image, spec);
    if (!made) return made.status();
    const int latency = made.value()->effects() != nullptr ? made.value()->effects()->latency_frames() : 0;

    const std::lock_guard lock(m_mutex);
    collect();
    if (static_cast<int>(m_instances.size()) >= m_core.bank_capacity())
        return Status(Code::full, "too many patches are still ringing out", "the patch was not set",
                      "set it again a little later");
    if (Status status = ready_sends(image); !status) return status;
    Event event;
    event.frame = frame;
    event.type = EventType::patch;
    event.part = static_cast<std::uint16_t>(part);
    make_room(m_instances);
    if (!m_own->post(event, made.value().get()))
        return Status(Code::full, "the event queue is full", "the patch was not set",
                      "pull the stream, or open it with more events");
    m_part_latency[static_cast<std::size_t>(part)] = latency;
    m_longest_part_latency.store(*std::max_element(m_part_latency.begin(), m_part_latency.end()),
                                 std::memory_order_relaxed);
    m_instances.push_back(std::move(made).value());
    return {};
}

Status StreamState::set_tuning(int part, const Tuning& tuning, std::int64_t frame) {
    std::bitset<Tuning::k_keys> silent;
    for (int key = 0; key < Tuning::k_keys; ++key)
        silent[static_cast<std::size_t>(key)] = !tuning.mapped(key);
    return set_tuning(part, tuning.semitones().data(), silent, frame);
}

Status StreamState::set_tuning(int part, const double* pitches, const std::bitset<128>& silent, std::int64_t frame) {
    if (part < 0 || part >= m_config.parts)
        return Status(Code::out_of_range, "part " + std::to_string(part) + " does not exist", "the tuning was not set",
                      "choose 0.." + std::to_string(m_config.parts - 1));
    auto table = std::make_unique<TuningTable>();
    std::copy_n(pitches, table->pitch.size(), table->pitch.begin());
    table->silent = silent;
    table->said.set();
    Event event;
    event.frame = frame;
    event.part = static_cast<std::uint16_t>(part);
    return post_tuning(std::move(table), event);
}

Status StreamState::tune(const TuningMessage& message, std::int64_t frame) {
    const auto make = [&] {
        auto table = std::make_unique<TuningTable>();
        for (std::size_t i = 0; i < std::min(message.keys.size(), message.semitones.size()); ++i) {
            const std::size_t key = message.keys[i] & 127u;
            table->pitch[key] = message.semitones[i];
            table->said[key] = true;
        }
        return table;
    };
    Event event;
    event.frame = frame;
    event.index = message.real_time ? 0 : 1;
    if (message.for_channels || message.channels != 0xffff) {
        for (int part = 0; part < m_config.parts; ++part) {
            if ((message.channels >> (part % 16) & 1u) == 0) continue;
            event.part = static_cast<std::uint16_t>(part);
            if (Status status = post_tuning(make(), event); !status) return status;
        }
        return {};
    }
    if (message.bank < 0 || message.bank > 127 || message.program < 0 || message.program > 127)
        return Status(Code::out_of_range,
                      "tuning program " + std::to_string(message.program) + " of bank " + std::to_string(message.bank),
                      "the tuning stays as it was", "choose 0..127 for both");
    const int number = TuningPrograms::number(message.bank, message.program);
    {
        const std::lock_guard lock(m_mutex);
        if (std::find(m_tuning_numbers.begin(), m_tuning_numbers.end(), number) == m_tuning_numbers.end()) {
            if (m_tuning_numbers.size() == TuningPrograms::k_most)
                return Status(Code::full,
                              "the stream keeps " + std::to_string(TuningPrograms::k_most) + " tuning programs already",
                              "the tuning was not kept", "use one of those that were sent before");
            m_tuning_numbers.push_back(number);
        }
    }
    event.part = k_every_part;
    event.parameter = static_cast<std::uint32_t>(number);
    return post_tuning(make(), event);
}

Status StreamState::post_tuning(std::unique_ptr<TuningTable> table, Event event) {
    for (std::size_t key = 0; key < table->pitch.size(); ++key)
        if (table->said[key] && !(table->pitch[key] >= -120.0 && table->pitch[key] <= 256.0))
            return Status(Code::out_of_range,
                          "key " + std::to_string(key) + " is tuned to " + std::to_string(table->pitch[key]),
                          "the tuning was not set", "choose semitones in -120..256");
    const std::lock_guard lock(m_mutex);
    collect();
    event.type = EventType::tuning;
    make_room(m_tunings);
    if (!m_own->post(event, table.get()))
        return Status(Code::full, "the event queue is full", "the tuning was not set",
                      "pull the stream, or open it with more events");
    m_tunings.push_back(std::move(table));
    return {};
}

Status StreamState::set_effects(std::span<const PatchEffect> effects, std::int64_t frame) {
    EffectImage images[PatchImage::k_most_effects];
    int count = 0;
    if (Status status = make_images(effects, images, count); !status) return status;
    return set_effects(std::span<const EffectImage>(images, static_cast<std::size_t>(count)), frame);
}

// `place`: 0 is the mix, n the send n - 1. The mutex is held.
Status StreamState::post_effects(int place, std::span<const EffectImage> effects, std::int64_t frame) {
    auto chain = EffectChain::create(effects, m_config.sample_rate, m_config.channels);
    if (!chain) return chain.status();
    auto made = std::make_unique<MasterEffects>();
    made->chain = std::move(chain).value();
    const int latency = made->chain->latency_frames();
    collect();
    Event event;
    event.frame = frame;
    event.type = EventType::effects;
    event.index = static_cast<std::uint8_t>(place);
    make_room(m_effects);
    if (!m_own->post(event, made.get()))
        return Status(Code::full, "the event queue is full", "the effects were not set",
                      "pull the stream, or open it with more events");
    m_effects.push_back(std::move(made));
    if (place == 0) m_effect_latency.store(latency, std::memory_order_relaxed);
    return {};
}

Status StreamState::set_effects(std::span<const EffectImage> effects, std::int64_t frame) {
    const std::lock_guard lock(m_mutex);
    return post_effects(0, effects, frame);
}

Status StreamState::set_send(int send, std::span<const PatchEffect> effects, std::int64_t frame) {
    if (send < 0 || send >= k_sends)
        return Status(Code::out_of_range, "send " + std::to_string(send) + " does not exist", "nothing was set",
                      "choose 0 (room) or 1 (hall)");
    EffectImage images[PatchImage::k_most_effects];
    int count = 0;
    if (Status status = make_images(effects, images, count); !status) return status;
    const std::lock_guard lock(m_mutex);
    Status status =
        post_effects(send + 1, std::span<const EffectImage>(images, static_cast<std::size_t>(count)), frame);
    m_send_ready[send] = m_send_ready[send] || status.ok();
    return status;
}

// The reverbs that a patch sends to, where none has been set. The mutex is held.
Status StreamState::ready_sends(const PatchImage& image) {
    constexpr float k_decay[k_sends] = {1.8f, 3.4f};
    for (int send = 0; send < k_sends; ++send) {
        if (m_send_ready[send] || image.sends[send] <= 0.0) continue;
        EffectImage room;
        set_defaults(room, reverb_type());
        room.values[reverb::decay] = k_decay[send];
        room.values[reverb::mix] = 1.0f;
        if (Status status = post_effects(send + 1, {&room, 1}, k_asap); !status) return status;
        m_send_ready[send] = true;
    }
    return {};
}

Status StreamState::place(int part, float azimuth, float elevation, std::int64_t frame) {
    if (!std::isfinite(azimuth) || !std::isfinite(elevation))
        return Status(Code::out_of_range, "a place is not a number", "the part stays where it was", "give degrees");
    const std::lock_guard lock(m_mutex);
    if (m_own->post(Event::place(frame, part, static_cast<double>(azimuth), elevation))) return {};
    return Status(Code::full, "the event queue is full", "the part stays where it was",
                  "pull the stream, or open it with more events");
}

Result<Clip> StreamState::play(int part, std::shared_ptr<ClipPlayer> player, std::int64_t frame) {
    if (part < 0 || part >= m_config.parts)
        return Status(Code::out_of_range, "part " + std::to_string(part) + " does not exist", "the clip was not played",
                      "choose 0.." + std::to_string(m_config.parts - 1));
    auto start = std::make_unique<ClipStart>();
    start->player = player;
    InstanceSpec spec;
    spec.sample_rate = m_config.sample_rate;
    spec.channels = m_config.channels;
    auto bus = Instance::make(PatchImage(), spec);
    if (!bus) return bus.status();
    start->bus = std::move(bus).value();
    const std::lock_guard lock(m_mutex);
    collect();
    Event event;
    event.frame = frame;
    event.type = EventType::clip;
    event.part = static_cast<std::uint16_t>(part);
    player->pending.fetch_add(1, std::memory_order_relaxed);
    make_room(m_clips);
    if (!m_own->post(event, start.get()))
        return Status(Code::full, "the event queue is full", "the clip was not played",
                      "pull the stream, or open it with more events");
    m_clips.push_back(std::move(start));
    Clip clip;
    clip.m_player = std::move(player);
    return clip;
}

Status StreamState::stop(const ClipPlayer& player, std::int64_t frame) {
    const std::lock_guard lock(m_mutex);
    for (const auto& start : m_clips) {
        if (start->player.get() != &player || player.retired.is_set()) continue;
        Event event;
        event.frame = frame;
        event.type = EventType::clip;
        event.index = 1;
        start->player->pending.fetch_add(1, std::memory_order_relaxed);
        if (m_own->post(event, start.get())) return {};
        start->player->pending.fetch_sub(1, std::memory_order_relaxed);
        return Status(Code::full, "the event queue is full", "the clip plays on",
                      "pull the stream, or open it with more events");
    }
    return {};
}

} // namespace tutti::engine
