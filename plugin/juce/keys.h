// SPDX-License-Identifier: AGPL-3.0-or-later
// The keyboard at the bottom of the editor.
#pragma once

#include <algorithm>

#include <juce_audio_utils/juce_audio_utils.h>

#include "plugin/juce/processor.h"

namespace tutti::plugin {

// On-screen keys: what is played by anybody shows, what is clicked sounds.
class Keys : private juce::MidiKeyboardState::Listener {
public:
    static constexpr int k_lowest_key = 24;
    static constexpr int k_highest_key = 108;

    explicit Keys(Processor& processor)
        : m_processor(processor), m_keyboard(m_state, juce::MidiKeyboardComponent::horizontalKeyboard) {
        m_keyboard.setAvailableRange(k_lowest_key, k_highest_key);
        m_keyboard.setOctaveForMiddleC(4);
        m_keyboard.setScrollButtonsVisible(false);
        m_keyboard.setVelocity(0.8f, true);
        m_keyboard.setTitle("Keyboard");
        m_state.addListener(this);
    }
    ~Keys() override { m_state.removeListener(this); }

    class Component : public juce::MidiKeyboardComponent {
    public:
        using MidiKeyboardComponent::MidiKeyboardComponent;
        juce::String getWhiteNoteText(int key) override {
            return key % 12 == 0 ? juce::MidiMessage::getMidiNoteName(key, true, true, 4) : juce::String();
        }
    };
    Component& component() noexcept { return m_keyboard; }
    // What sounds from elsewhere lights its key.
    void refresh() {
        m_silent = true;
        for (int key = 0; key < 128; ++key) {
            const bool down = (m_processor.instance().keys_down(key / 64) >> (key % 64) & 1u) != 0;
            if (down == m_state.isNoteOn(1, key)) continue;
            if (down)
                m_state.noteOn(1, key, 0.8f);
            else
                m_state.noteOff(1, key, 0.0f);
        }
        m_silent = false;
    }

private:
    void handleNoteOn(juce::MidiKeyboardState*, int, int key, float velocity) override {
        if (!m_silent) m_processor.instance().play_key(key, std::max(0.01, static_cast<double>(velocity)));
    }
    void handleNoteOff(juce::MidiKeyboardState*, int, int key, float) override {
        if (!m_silent) m_processor.instance().play_key(key, 0.0);
    }
    Processor& m_processor;
    juce::MidiKeyboardState m_state;
    Component m_keyboard;
    bool m_silent = false;
};

} // namespace tutti::plugin
