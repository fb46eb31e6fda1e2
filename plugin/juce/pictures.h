// SPDX-License-Identifier: AGPL-3.0-or-later
// Pictures of the sound: curves that follow the knobs, and what comes out. They only look.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "plugin/juce/look.h"
#include "plugin/juce/processor.h"

namespace tutti::plugin {

// A curve of some parameters, drawn anew when one of them moves.
class CurveView : public juce::Component {
public:
    // `places` in ParameterList; `shape` makes y (0..1, from below) of x (0..1), the values in the order of `places`.
    using Shape = std::function<float(float x, const std::vector<float>& values)>;
    CurveView(Processor& processor, std::vector<int> places, Shape shape, const juce::String& title);
    void refresh(); // [control]
    void paint(juce::Graphics& g) override;
    void set_marks(std::vector<float> x) { m_marks = std::move(x); } // vertical lines

private:
    Processor& m_processor;
    std::vector<int> m_places;
    Shape m_shape;
    std::vector<float> m_values;
    std::vector<float> m_marks;
};

// The curves that a group of a voice type can show. [control]
CurveView::Shape envelope_shape(); // attack, decay, sustain, release, curve
CurveView::Shape filter_shape();   // type, cutoff, resonance
CurveView::Shape wave_shape();     // wave, width
CurveView::Shape lfo_shape();      // wave

class Scope : public juce::Component {
public:
    explicit Scope(Processor& processor);
    void refresh() { repaint(); } // [control]
    void paint(juce::Graphics& g) override;

private:
    Processor& m_processor;
    std::vector<float> m_frames;
};

class Spectrum : public juce::Component {
public:
    explicit Spectrum(Processor& processor);
    void refresh(); // [control]
    void paint(juce::Graphics& g) override;

private:
    static constexpr int k_size = 4096;
    Processor& m_processor;
    std::vector<float> m_frames;
    std::vector<float> m_db; // [pixel], falls slowly
};

// Peak, mean and the highest peak held for 1.5 s; red once the output was at full scale, until it is clicked.
class Meters : public juce::Component, public juce::SettableTooltipClient {
public:
    explicit Meters(Processor& processor);
    void refresh(); // 30 times a second [control]
    void paint(juce::Graphics& g) override;
    void mouseDown(const juce::MouseEvent& event) override;

private:
    Processor& m_processor;
    std::array<float, 2> m_peak{{-120.0f, -120.0f}}; // dBFS
    std::array<float, 2> m_rms{{-120.0f, -120.0f}};
    std::array<float, 2> m_hold{{-120.0f, -120.0f}};
    std::array<int, 2> m_hold_ticks{};
    std::array<bool, 2> m_clipped{};
};

} // namespace tutti::plugin
