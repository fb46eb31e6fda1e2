// SPDX-License-Identifier: MIT
// Patches, effects, tunings and places through the C interface.
#include <cstdio>
#include <cstring>
#include <string_view>

#include "engine/c/handle.h"
#include "engine/patch/embedded.h"
#include "engine/patch/image.h"

using tutti::Status;
using namespace tutti::engine;

namespace {

constexpr std::size_t k_most_text = 65536;

// A control call's work inside the engine's memory: nothing may leave it but a result.
template <class Work>
tutti_result inside(tutti_engine* engine, Work&& work) noexcept {
    if (engine == nullptr || !engine->state) return TUTTI_INVALID_ARGUMENT;
    try {
        const MemoryScope scope(engine->memory());
        return work();
    } catch (const std::bad_alloc&) {
        return engine->fail(TUTTI_OUT_OF_MEMORY, "there is not enough memory: nothing was changed; see patch_bytes");
    } catch (...) {
        return engine->fail(TUTTI_INTERNAL, "an exception that nobody expected");
    }
}

tutti_result no_such_part(tutti_engine& engine, int32_t part) noexcept {
    char text[96];
    std::snprintf(text, sizeof text, "part %d does not exist: choose 0..%d", static_cast<int>(part),
                  static_cast<int>(engine.config.parts - 1));
    return engine.fail(TUTTI_OUT_OF_RANGE, text);
}

tutti_result set_text(tutti_engine& engine, int32_t part, std::string_view text, int64_t frame) {
    if (!engine.has_part(part)) return no_such_part(engine, part);
    if (text.size() > k_most_text) return engine.fail(TUTTI_TOO_LARGE, "the patch is larger than 64 KiB");
    PatchImage image;
    ImageFault fault;
    if (!read_image(text, image, fault)) return engine.fail(static_cast<tutti_result>(fault.code), fault.what);
    PartMemory& memory = engine.part_memory(part);
    if (const Status status = engine.state->set_patch(part, image, frame); !status) return engine.fail(status);
    memory.patch = image;
    memory.has_patch = true;
    return TUTTI_OK;
}

} // namespace

extern "C" tutti_result tutti_set_patch(tutti_engine* engine, int32_t part, const char* name, int64_t frame) noexcept {
    return inside(engine, [&] {
        if (name == nullptr) return engine->fail(TUTTI_INVALID_ARGUMENT, "the patch's name is null");
        for (int i = 0; i < k_embedded_patch_count; ++i)
            if (k_embedded_patches[i].name == name) return set_text(*engine, part, k_embedded_patches[i].text, frame);
        char text[128];
        std::snprintf(text, sizeof text, "there is no factory patch \"%.40s\": see tutti_factory_patch()", name);
        return engine->fail(TUTTI_NOT_FOUND, text);
    });
}

extern "C" tutti_result tutti_set_patch_text(tutti_engine* engine, int32_t part, const void* text, size_t size,
                                             int64_t frame) noexcept {
    return inside(engine, [&] {
        if (text == nullptr) return engine->fail(TUTTI_INVALID_ARGUMENT, "the patch's text is null");
        return set_text(*engine, part, {static_cast<const char*>(text), size}, frame);
    });
}

extern "C" tutti_result tutti_set_patch_from(tutti_engine* engine, int32_t part, const tutti_reader* reader,
                                             int64_t frame) noexcept {
    return inside(engine, [&] {
        if (reader == nullptr || reader->read == nullptr)
            return engine->fail(TUTTI_INVALID_ARGUMENT, "the reader is null");
        Vector<char> text(k_most_text + 1);
        std::size_t size = 0;
        while (size < text.size()) {
            const int64_t count = reader->read(reader->user, text.data() + size, text.size() - size);
            if (count < 0 || static_cast<uint64_t>(count) > text.size() - size)
                return engine->fail(TUTTI_FILE_UNREADABLE, "the reader failed: the part keeps its patch");
            if (count == 0) break;
            size += static_cast<std::size_t>(count);
        }
        return set_text(*engine, part, {text.data(), size}, frame);
    });
}

extern "C" tutti_result tutti_set_effects(tutti_engine* engine, const void* text, size_t size, int64_t frame) noexcept {
    return inside(engine, [&] {
        if (text == nullptr) return engine->fail(TUTTI_INVALID_ARGUMENT, "the effects' text is null");
        if (size > k_most_text) return engine->fail(TUTTI_TOO_LARGE, "the effects are larger than 64 KiB");
        auto wanted = std::make_unique<OutputEffects>();
        ImageFault fault;
        if (!read_images({static_cast<const char*>(text), size}, wanted->images, wanted->count, fault))
            return engine->fail(static_cast<tutti_result>(fault.code), fault.what);
        const Status status = engine->state->set_effects(
            std::span<const EffectImage>(wanted->images, static_cast<std::size_t>(wanted->count)), frame);
        if (!status) return engine->fail(status);
        engine->effects = std::move(wanted);
        return TUTTI_OK;
    });
}

extern "C" tutti_result tutti_set_tuning(tutti_engine* engine, int32_t part, const double semitones[128],
                                         int64_t frame) noexcept {
    return inside(engine, [&] {
        if (semitones == nullptr) return engine->fail(TUTTI_INVALID_ARGUMENT, "the tuning is null");
        if (!engine->has_part(part)) return no_such_part(*engine, part);
        PartMemory& memory = engine->part_memory(part);
        if (const Status status = engine->state->set_tuning(part, semitones, {}, frame); !status)
            return engine->fail(status);
        std::memcpy(memory.tuning, semitones, sizeof memory.tuning);
        memory.has_tuning = true;
        return TUTTI_OK;
    });
}

extern "C" tutti_result tutti_place_part(tutti_engine* engine, int32_t part, float azimuth, float elevation) noexcept {
    return inside(engine, [&] {
        if (!engine->has_part(part)) return no_such_part(*engine, part);
        PartMemory& memory = engine->part_memory(part);
        if (const Status status = engine->state->place(part, azimuth, elevation, tutti::k_asap); !status)
            return engine->fail(status);
        memory.azimuth = azimuth;
        memory.elevation = elevation;
        memory.has_place = true;
        return TUTTI_OK;
    });
}
