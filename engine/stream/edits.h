// SPDX-License-Identifier: MIT
// The rows of one patch instance and the edits of one step: memory made once, filled in frame order, read by the backend.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

// Room is counted a frame: what one frame may ask for is at most half of the memory, so a step that has used half of it ends
// before the next frame that has something to do, and no result depends on where it ended.
class EditList {
public:
    // [control]
    void prepare(const voices::VoiceType& type, int slots) {
        const int rows = (slots + voices::k_row_slots - 1) / voices::k_row_slots;
        m_start_size = voices::state_field(type.envelope_count);
        m_envelope_size = 3 * type.envelope_count;
        m_slots = rows * voices::k_row_slots;
        const auto row_size = static_cast<std::size_t>(type.field_count) * voices::k_row_slots;
        m_fields = take_floats(row_size * static_cast<std::size_t>(rows));
        std::fill_n(m_fields.get(), row_size * static_cast<std::size_t>(rows), 0.0f);
        m_rows.resize(static_cast<std::size_t>(rows));
        for (std::size_t i = 0; i < m_rows.size(); ++i)
            m_rows[i].fields = m_fields.get() + i * row_size;
        // One event: every slot written once, or one note of all copies; a tick: every slot written twice.
        m_event_edits = 2 * m_slots + 32;
        m_event_values = m_slots * (m_envelope_size + 4) + m_start_size * 32;
        m_frame_edits = 2 * m_slots + 2 * m_event_edits;
        m_frame_values = m_slots * (m_envelope_size + 4) + 2 * m_event_values + m_slots * m_start_size;
        m_edits.resize(static_cast<std::size_t>(2 * m_frame_edits));
        m_values.resize(static_cast<std::size_t>(2 * m_frame_values));
    }

    // Forgets the edits of the step before. [render]
    void begin_step(std::int64_t frame) noexcept {
        m_frame = frame;
        m_rows_edited = 0;
        if (m_edit_count == 0) return;
        m_edit_count = m_value_count = 0;
        m_frame_edit_begin = m_frame_value_begin = 0;
        for (Row& row : m_rows)
            row.first_edit = row.last_edit = k_no_edit;
    }
    // Frame `frame` begins: what it asks for is counted from here. [render]
    void begin_frame() noexcept {
        m_frame_edit_begin = m_edit_count;
        m_frame_value_begin = m_value_count;
    }
    // True where the step must end before a further frame. [render]
    bool crowded() const noexcept { return m_edit_count > m_frame_edits || m_value_count > m_frame_values; }
    // False where an event must wait for the next frame, this one being full. [render]
    bool room() const noexcept {
        return m_edit_count - m_frame_edit_begin + m_event_edits <= m_frame_edits &&
               m_value_count - m_frame_value_begin + m_event_values <= m_frame_values;
    }

    // Appends an edit and returns where its values go. [render]
    float* add(int slot, std::int64_t frame, Edit::Kind kind, int first, int count) noexcept {
        const auto index = static_cast<std::uint32_t>(m_edit_count++);
        Edit& edit = m_edits[index];
        float* const values = m_values.data() + m_value_count;
        m_value_count += count;
        edit.next = k_no_edit;
        edit.offset = static_cast<std::uint8_t>(frame - m_frame);
        edit.lane = static_cast<std::uint8_t>(slot % voices::k_row_slots);
        edit.kind = kind;
        edit.first = static_cast<std::uint8_t>(first);
        edit.count = static_cast<std::uint8_t>(count);
        edit.values = values;
        const int number = slot / voices::k_row_slots;
        m_rows_edited = m_rows_edited > number ? m_rows_edited : number + 1;
        Row& row = m_rows[static_cast<std::size_t>(number)];
        if (row.first_edit == k_no_edit)
            row.first_edit = index;
        else
            m_edits[row.last_edit].next = index;
        row.last_edit = index;
        return values;
    }

    Row* rows() noexcept { return m_rows.data(); }
    int row_count() const noexcept { return static_cast<int>(m_rows.size()); }
    int rows_edited() const noexcept { return m_rows_edited; } // rows with edits are before it
    int slots() const noexcept { return m_slots; }
    const Edit* edits() const noexcept { return m_edits.data(); }
    int edit_count() const noexcept { return m_edit_count; }
    int start_size() const noexcept { return m_start_size; }

private:
    Floats m_fields;      // [row][field][lane]
    Vector<Row> m_rows;   // [row]
    Vector<Edit> m_edits; // of the present step
    Vector<float> m_values;
    std::int64_t m_frame = 0;
    int m_rows_edited = 0;
    int m_slots = 0;
    int m_start_size = 0;
    int m_envelope_size = 0;
    int m_edit_count = 0;
    int m_value_count = 0;
    int m_frame_edit_begin = 0;
    int m_frame_value_begin = 0;
    int m_event_edits = 0; // most of one event
    int m_event_values = 0;
    int m_frame_edits = 0; // most of one frame
    int m_frame_values = 0;
};

} // namespace tutti::engine
