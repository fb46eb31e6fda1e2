// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/pictures.h"

#include <algorithm>
#include <cmath>
#include <complex>

namespace tutti::plugin {
namespace {

float decibels(float linear) {
    return 20.0f * std::log10(std::max(linear, 1e-6f));
}

// Curved between two levels as the engine's envelopes are: straight at 0, bent outwards above.
float bent(float t, float from, float to, float curve) {
    const float s = curve < 0.01f ? t : (1.0f - std::exp(-curve * t)) / (1.0f - std::exp(-curve));
    return from + (to - from) * s;
}

// For a picture alone; in place, a power of two.
void transform(std::vector<std::complex<float>>& x) {
    const std::size_t n = x.size();
    for (std::size_t i = 1, j = 0; i < n; ++i) {
        std::size_t bit = n >> 1;
        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) std::swap(x[i], x[j]);
    }
    for (std::size_t span = 2; span <= n; span <<= 1) {
        const std::complex<float> turn =
            std::polar(1.0f, -juce::MathConstants<float>::twoPi / static_cast<float>(span));
        for (std::size_t at = 0; at < n; at += span) {
            std::complex<float> w = 1.0f;
            for (std::size_t k = 0; k < span / 2; ++k, w *= turn) {
                const std::complex<float> a = x[at + k], b = x[at + k + span / 2] * w;
                x[at + k] = a + b;
                x[at + k + span / 2] = a - b;
            }
        }
    }
}

constexpr float k_lowest_db = -60.0f;

} // namespace

// --- curves

CurveView::CurveView(Processor& processor, std::vector<int> places, Shape shape, const juce::String& title)
    : m_processor(processor), m_places(std::move(places)), m_shape(std::move(shape)) {
    setTitle(title);
    setInterceptsMouseClicks(false, false);
}

void CurveView::refresh() {
    std::vector<float> values;
    for (const int place : m_places)
        values.push_back(m_processor.instance().value(place));
    if (values == m_values) return;
    m_values = std::move(values);
    repaint();
}

void CurveView::paint(juce::Graphics& g) {
    const juce::Rectangle<float> well = getLocalBounds().toFloat();
    look::draw_well(g, well);
    if (m_values.empty()) return;
    const juce::Rectangle<float> area = well.reduced(4.0f, 5.0f);
    juce::Path line;
    const int points = std::max(2, static_cast<int>(area.getWidth()));
    for (int i = 0; i <= points; ++i) {
        const float x = static_cast<float>(i) / static_cast<float>(points);
        const float y = juce::jlimit(0.0f, 1.0f, m_shape(x, m_values));
        const juce::Point<float> point(area.getX() + x * area.getWidth(), area.getBottom() - y * area.getHeight());
        if (i == 0)
            line.startNewSubPath(point);
        else
            line.lineTo(point);
    }
    juce::Path ground = line;
    ground.lineTo(area.getBottomRight());
    ground.lineTo(area.getBottomLeft());
    ground.closeSubPath();
    g.setColour(look::k_accent.withAlpha(0.12f));
    g.fillPath(ground);
    g.setColour(look::k_accent);
    g.strokePath(line, juce::PathStrokeType(1.6f, juce::PathStrokeType::curved, juce::PathStrokeType::rounded));
}

CurveView::Shape envelope_shape() {
    return [](float x, const std::vector<float>& v) {
        // Times as a knob walks them, so that a short attack beside a long release is still seen; a quarter is the sustain.
        const auto width = [](float seconds) {
            return 0.05f + 0.2f * juce::jlimit(0.0f, 1.0f, (std::log10(seconds) + 3.2f) / 4.6f);
        };
        const float attack = width(v[0]), decay = width(v[1]), release = width(v[3]);
        const float held = 1.0f - attack - decay - release;
        if (x < attack) return bent(x / attack, 0.0f, 1.0f, v[4] * 0.2f);
        if (x < attack + decay) return bent((x - attack) / decay, 1.0f, v[2], v[4]);
        if (x < attack + decay + held) return v[2];
        return bent((x - attack - decay - held) / release, v[2], 0.0f, v[4]);
    };
}

CurveView::Shape filter_shape() {
    return [](float x, const std::vector<float>& v) {
        // The analogue prototypes: a state-variable filter with damping 2^(0.5 - 6 r), a ladder with feedback 4.4 r.
        const float hz = 20.0f * std::pow(1000.0f, x);
        const std::complex<float> s(0.0f, hz / std::max(1.0f, v[1]));
        const std::complex<float> one(1.0f, 0.0f);
        const float k = std::exp2(0.5f - 6.0f * v[2]);
        const std::complex<float> below = s * s + k * s + one;
        std::complex<float> h = one;
        switch (static_cast<int>(v[0] + 0.5f)) {
        case 1:
            h = one / below;
            break;
        case 2:
            h = k * s / below;
            break;
        case 3:
            h = s * s / below;
            break;
        case 4:
            h = (s * s + one) / below;
            break;
        case 5: {
            const std::complex<float> pole = one / (one + s);
            const std::complex<float> four = pole * pole * pole * pole;
            h = four / (one + 4.4f * v[2] * four);
            break;
        }
        default:
            break;
        }
        return (decibels(std::abs(h)) + 42.0f) / 66.0f; // -42 to +24 dB
    };
}

CurveView::Shape wave_shape() {
    return [](float x, const std::vector<float>& v) {
        const float phase = std::fmod(2.0f * x, 1.0f), width = v.size() > 1 ? v[1] : 0.5f;
        float y = 0.0f;
        switch (static_cast<int>(v[0] + 0.5f)) {
        case 0:
            y = 1.0f - 2.0f * phase;
            break;
        case 1:
            y = phase < width ? 1.0f : -1.0f;
            break;
        case 2:
            y = phase < 0.5f ? 4.0f * phase - 1.0f : 3.0f - 4.0f * phase;
            break;
        default:
            y = std::sin(juce::MathConstants<float>::twoPi * phase);
            break;
        }
        return 0.5f + 0.42f * y;
    };
}

CurveView::Shape lfo_shape() {
    return [](float x, const std::vector<float>& v) {
        const float phase = std::fmod(2.0f * x, 1.0f);
        const auto step = [](float at) { // some values to hold, the same in every picture
            return std::sin(static_cast<float>(static_cast<int>(at)) * 12.9898f) * 0.9f;
        };
        float y = 0.0f;
        switch (static_cast<int>(v[0] + 0.5f)) {
        case 0:
            y = std::sin(juce::MathConstants<float>::twoPi * phase);
            break;
        case 1:
            y = phase < 0.5f ? 4.0f * phase - 1.0f : 3.0f - 4.0f * phase;
            break;
        case 2:
            y = 2.0f * phase - 1.0f;
            break;
        case 3:
            y = 1.0f - 2.0f * phase;
            break;
        case 4:
            y = phase < 0.5f ? 1.0f : -1.0f;
            break;
        case 5:
            y = step(1.0f + x * 6.0f);
            break;
        default: {
            const float at = 1.0f + x * 6.0f, t = at - std::floor(at);
            const float soft = t * t * (3.0f - 2.0f * t);
            y = step(at) + (step(at + 1.0f) - step(at)) * soft;
            break;
        }
        }
        return 0.5f + 0.42f * y;
    };
}

// --- what comes out

Scope::Scope(Processor& processor) : m_processor(processor), m_frames(Monitor::k_frames) {
    setTitle("Oscilloscope");
    setInterceptsMouseClicks(false, false);
}

void Scope::paint(juce::Graphics& g) {
    const juce::Rectangle<float> well = getLocalBounds().toFloat();
    look::draw_well(g, well);
    const juce::Rectangle<float> area = well.reduced(4.0f);
    g.setColour(look::k_faint.withAlpha(0.5f));
    g.drawHorizontalLine(static_cast<int>(area.getCentreY()), area.getX(), area.getRight());
    constexpr int k_shown = 1024, k_search = 2048;
    m_processor.instance().monitor().copy(0, m_frames.data(), k_shown + k_search);
    // Stands still: from the last rise through zero that leaves room for a picture.
    int start = k_search;
    while (start > 1 &&
           !(m_frames[static_cast<std::size_t>(start - 1)] < 0.0f && m_frames[static_cast<std::size_t>(start)] >= 0.0f))
        --start;
    float most = 0.05f;
    for (int i = 0; i < k_shown; ++i)
        most = std::max(most, std::fabs(m_frames[static_cast<std::size_t>(start + i)]));
    juce::Path line;
    const int points = std::max(2, static_cast<int>(area.getWidth()));
    for (int i = 0; i <= points; ++i) {
        const auto frame = static_cast<std::size_t>(start + std::min(k_shown - 1, i * k_shown / points));
        const float y = area.getCentreY() - m_frames[frame] / most * area.getHeight() * 0.46f;
        const float x = area.getX() + static_cast<float>(i) * area.getWidth() / static_cast<float>(points);
        if (i == 0)
            line.startNewSubPath(x, y);
        else
            line.lineTo(x, y);
    }
    g.setColour(look::k_move);
    g.strokePath(line, juce::PathStrokeType(1.3f));
}

Spectrum::Spectrum(Processor& processor) : m_processor(processor), m_frames(k_size), m_db(400, -100.0f) {
    setTitle("Spectrum");
    setInterceptsMouseClicks(false, false);
}

void Spectrum::refresh() {
    m_processor.instance().monitor().copy(0, m_frames.data(), k_size);
    std::vector<std::complex<float>> x(k_size);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float window = 0.5f - 0.5f * std::cos(juce::MathConstants<float>::twoPi * static_cast<float>(i) / k_size);
        x[i] = m_frames[i] * window;
    }
    transform(x);
    const double rate = std::max(8000.0, m_processor.instance().sample_rate());
    for (std::size_t p = 0; p < m_db.size(); ++p) {
        const auto bin_of = [&](double at) {
            return 20.0 * std::pow(1000.0, at / static_cast<double>(m_db.size())) / rate * k_size;
        };
        const double low = bin_of(static_cast<double>(p)),
                     high = std::max(low + 1.0, bin_of(static_cast<double>(p) + 1.0));
        float most = 0.0f;
        for (auto bin = static_cast<std::size_t>(low); bin < static_cast<std::size_t>(high) + 1 && bin < k_size / 2;
             ++bin)
            most = std::max(most, std::abs(x[bin]));
        const float db = decibels(most * 4.0f / k_size);
        m_db[p] = std::max(db, m_db[p] - 1.5f); // 45 dB a second
    }
    repaint();
}

void Spectrum::paint(juce::Graphics& g) {
    const juce::Rectangle<float> well = getLocalBounds().toFloat();
    look::draw_well(g, well);
    const juce::Rectangle<float> area = well.reduced(4.0f);
    g.setFont(look::font(9.5f));
    for (const auto& [hz, name] : {std::pair{100.0f, "100"}, std::pair{1000.0f, "1k"}, std::pair{10000.0f, "10k"}}) {
        const float x = area.getX() + std::log10(hz / 20.0f) / 3.0f * area.getWidth();
        g.setColour(look::k_faint.withAlpha(0.5f));
        g.drawVerticalLine(static_cast<int>(x), area.getY(), area.getBottom() - 11.0f);
        g.setColour(look::k_quiet);
        g.drawText(name, juce::Rectangle<float>(x - 20.0f, area.getBottom() - 11.0f, 40.0f, 11.0f),
                   juce::Justification::centred, false);
    }
    juce::Path line;
    for (std::size_t p = 0; p < m_db.size(); ++p) {
        const float x = area.getX() + static_cast<float>(p) / static_cast<float>(m_db.size() - 1) * area.getWidth();
        const float y = area.getY() + juce::jlimit(0.0f, 1.0f, -m_db[p] / 90.0f) * (area.getHeight() - 12.0f);
        if (p == 0)
            line.startNewSubPath(x, y);
        else
            line.lineTo(x, y);
    }
    g.setColour(look::k_move);
    g.strokePath(line, juce::PathStrokeType(1.2f));
}

Meters::Meters(Processor& processor) : m_processor(processor) {
    setTitle("Level meters");
    setTooltip("Peak, mean and held peak in dBFS; click to clear");
}

void Meters::refresh() {
    for (std::size_t c = 0; c < 2; ++c) {
        const float peak = m_processor.instance().monitor().take_peak(static_cast<int>(c));
        const float db = decibels(peak);
        if (peak >= 1.0f) m_clipped[c] = true;
        m_peak[c] = std::max(db, m_peak[c] - 0.9f); // 27 dB a second
        m_rms[c] = decibels(m_processor.instance().monitor().rms(static_cast<int>(c)));
        if (db >= m_hold[c]) {
            m_hold[c] = db;
            m_hold_ticks[c] = 45;
        } else if (--m_hold_ticks[c] < 0) {
            m_hold[c] = std::max(-120.0f, m_hold[c] - 1.5f);
        }
    }
    repaint();
}

void Meters::mouseDown(const juce::MouseEvent&) {
    m_clipped = {};
    m_hold = {{-120.0f, -120.0f}};
    repaint();
}

void Meters::paint(juce::Graphics& g) {
    juce::Rectangle<int> area = getLocalBounds();
    const juce::Rectangle<int> words = area.removeFromRight(58);
    for (int c = 0; c < 2; ++c) {
        const auto side = static_cast<std::size_t>(c);
        juce::Rectangle<float> row =
            area.toFloat().withHeight(area.getHeight() * 0.5f).translated(0.0f, c * area.getHeight() * 0.5f);
        g.setColour(look::k_quiet);
        g.setFont(look::font(look::k_font_small));
        g.drawText(c == 0 ? "L" : "R", row.removeFromLeft(12.0f), juce::Justification::centred, false);
        const juce::Rectangle<float> bar = row.reduced(2.0f, 4.0f);
        g.setColour(look::k_well);
        g.fillRect(bar);
        const auto x_of = [&](float db) {
            return bar.getX() + juce::jlimit(0.0f, 1.0f, 1.0f - db / k_lowest_db) * bar.getWidth();
        };
        g.setColour(m_clipped[side] ? look::k_warn : look::k_good.withAlpha(0.45f));
        g.fillRect(bar.withRight(x_of(m_peak[side])));
        g.setColour(m_clipped[side] ? look::k_warn : look::k_good);
        g.fillRect(bar.withRight(x_of(m_rms[side])));
        g.setColour(look::k_text);
        if (m_hold[side] > k_lowest_db) g.fillRect(x_of(m_hold[side]) - 1.0f, bar.getY(), 2.0f, bar.getHeight());
        g.setColour(m_clipped[side] ? look::k_warn : look::k_text);
        const juce::String value =
            m_hold[side] <= -100.0f ? juce::String("-inf dB") : juce::String(m_hold[side], 1) + " dB";
        g.drawText(value, words.withHeight(words.getHeight() / 2).translated(0, c * words.getHeight() / 2),
                   juce::Justification::centredRight, false);
    }
}

} // namespace tutti::plugin
