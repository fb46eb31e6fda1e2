// SPDX-License-Identifier: AGPL-3.0-or-later
// How everything looks: the one file of colours and metrics, and the few things JUCE draws for us in them.
#pragma once

#include <juce_audio_utils/juce_audio_utils.h>

namespace tutti::plugin::look {

// --- colours, 0xAARRGGBB. Text on its ground is at least 4.5 : 1.
inline const juce::Colour k_ground{0xff12161b}; // behind everything
inline const juce::Colour k_panel{0xff1b2128};  // a group of knobs
inline const juce::Colour k_panel_edge{0xff2a323b};
inline const juce::Colour k_well{0xff0d1014}; // curves and lists lie in it
inline const juce::Colour k_text{0xffe8ecf0};
inline const juce::Colour k_quiet{0xff9aa6b2};  // labels
inline const juce::Colour k_faint{0xff4a5561};  // grids, tracks
inline const juce::Colour k_accent{0xfff2a33c}; // what is set, what is played
inline const juce::Colour k_accent_dark{0xff6e4c1f};
inline const juce::Colour k_move{0xff4cc3c7}; // modulation
inline const juce::Colour k_good{0xff6cc070};
inline const juce::Colour k_warn{0xffe5636a};
inline const juce::Colour k_white_key{0xffe4e2dc};
inline const juce::Colour k_black_key{0xff22272d};

// --- metrics, in points of the picture at 100 %
inline constexpr int k_width = 1120;
inline constexpr int k_height = 720;
inline constexpr float k_smallest = 0.75f;
inline constexpr float k_largest = 2.0f;
inline constexpr int k_gap = 8;
inline constexpr int k_top = 48;
inline constexpr int k_keyboard = 84;
inline constexpr int k_status = 24;
inline constexpr int k_side = 212; // scope, spectrum, meters
inline constexpr int k_knob_width = 66;
inline constexpr int k_knob_height = 74;
inline constexpr int k_header = 20; // of a panel
inline constexpr float k_corner = 5.0f;
inline constexpr float k_font = 12.5f;
inline constexpr float k_font_small = 11.0f;
inline constexpr float k_font_title = 16.0f;

inline juce::Font font(float height = k_font, bool bold = false) { // [control]
    return juce::Font(height, bold ? juce::Font::bold : juce::Font::plain);
}

// A group's ground and its name. [control]
void draw_panel(juce::Graphics& g, juce::Rectangle<int> bounds, const juce::String& name);
// Where a curve or a list lies. [control]
void draw_well(juce::Graphics& g, juce::Rectangle<float> bounds);
// A ring round what the keyboard talks to. [control]
void draw_focus(juce::Graphics& g, const juce::Component& component);

class LookAndFeel : public juce::LookAndFeel_V4 {
public:
    LookAndFeel();
    void drawButtonBackground(juce::Graphics& g, juce::Button& button, const juce::Colour& ground, bool over,
                              bool down) override;
    void drawButtonText(juce::Graphics& g, juce::TextButton& button, bool over, bool down) override;
    juce::Font getTextButtonFont(juce::TextButton& button, int height) override;
    juce::Font getPopupMenuFont() override;
    juce::Font getLabelFont(juce::Label& label) override;
    void drawComboBox(juce::Graphics& g, int width, int height, bool down, int x, int y, int w, int h,
                      juce::ComboBox& box) override;
    juce::Font getComboBoxFont(juce::ComboBox& box) override;
    void positionComboBoxText(juce::ComboBox& box, juce::Label& label) override;
};

} // namespace tutti::plugin::look
