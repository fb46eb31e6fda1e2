// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "plugin/juce/controls.h"

namespace tutti::plugin {
namespace {

constexpr float k_turn = 0.75f * juce::MathConstants<float>::pi; // from the top to either end
constexpr const char* k_drag = "source:";

} // namespace

Knob::Knob(Processor& processor, Routes& routes, int place, bool small)
    : Control(processor, routes, place), m_small(small) {
    refresh();
}

void Knob::refresh() {
    Control::refresh();
    std::vector<PatchRoute> mine;
    if (info().kind == ParameterKind::voice)
        for (const PatchRoute& route : m_routes.all())
            if (route.target == info().row->id) mine.push_back(route);
    const auto same = [](const PatchRoute& a, const PatchRoute& b) {
        return a.source == b.source && a.depth == b.depth;
    };
    if (!std::equal(mine.begin(), mine.end(), m_mine.begin(), m_mine.end(), same)) {
        m_mine = std::move(mine);
        repaint();
    }
}

void Knob::paint(juce::Graphics& g) {
    juce::Rectangle<int> area = getLocalBounds();
    const juce::Rectangle<int> name = area.removeFromTop(15);
    const juce::Rectangle<int> words = area.removeFromBottom(15);
    const float size = static_cast<float>(std::min(area.getWidth(), area.getHeight())) - (m_small ? 6.0f : 4.0f);
    const juce::Rectangle<float> circle = area.toFloat().withSizeKeepingCentre(size, size);
    const juce::Point<float> centre = circle.getCentre();
    const float radius = size * 0.5f - 3.0f;
    const float angle = (m_shown * 2.0f - 1.0f) * k_turn;
    const Parameter& row = *info().row;
    const bool both = row.minimum < 0.0f && row.maximum > 0.0f;
    const float zero = both ? (normalised_value(row, 0.0f) * 2.0f - 1.0f) * k_turn : -k_turn;

    juce::Path track, held;
    track.addCentredArc(centre.x, centre.y, radius, radius, 0.0f, -k_turn, k_turn, true);
    g.setColour(look::k_faint);
    g.strokePath(track, juce::PathStrokeType(2.5f, juce::PathStrokeType::curved, juce::PathStrokeType::rounded));
    held.addCentredArc(centre.x, centre.y, radius, radius, 0.0f, std::min(zero, angle), std::max(zero, angle), true);
    g.setColour(m_learning ? look::k_warn : look::k_accent);
    g.strokePath(held, juce::PathStrokeType(2.5f, juce::PathStrokeType::curved, juce::PathStrokeType::rounded));

    // A ring a route: from where the knob stands to how far it is moved.
    float ring = radius + 3.0f;
    for (const PatchRoute& route : m_mine) {
        const double span = Routes::span(row);
        const float depth = span > 0.0 ? static_cast<float>(route.depth / span) * 2.0f * k_turn : 0.0f;
        const float end = juce::jlimit(-k_turn, k_turn, angle + depth);
        juce::Path arc;
        arc.addCentredArc(centre.x, centre.y, ring, ring, 0.0f, std::min(angle, end), std::max(angle, end) + 0.02f,
                          true);
        g.setColour(look::k_move);
        g.strokePath(arc, juce::PathStrokeType(1.8f));
        ring -= 6.0f;
        if (ring < radius - 4.0f) break;
    }

    const float cap = radius - 5.0f;
    g.setGradientFill(juce::ColourGradient(look::k_panel_edge.brighter(0.15f), centre.x, centre.y - cap,
                                           look::k_panel_edge.darker(0.3f), centre.x, centre.y + cap, false));
    g.fillEllipse(centre.x - cap, centre.y - cap, 2.0f * cap, 2.0f * cap);
    if (m_over) {
        g.setColour(look::k_move);
        g.drawEllipse(centre.x - cap, centre.y - cap, 2.0f * cap, 2.0f * cap, 2.0f);
    }
    const juce::Point<float> tip(centre.x + std::sin(angle) * (cap - 1.0f), centre.y - std::cos(angle) * (cap - 1.0f));
    const juce::Point<float> root(centre.x + std::sin(angle) * cap * 0.45f, centre.y - std::cos(angle) * cap * 0.45f);
    g.setColour(look::k_text);
    g.drawLine({root, tip}, 2.0f);

    g.setFont(look::font(look::k_font_small));
    g.setColour(look::k_quiet);
    juce::String title = getTitle();
    if (info().kind != ParameterKind::macro) {
        title = text_of(row.name);
        // The panel says which operator it is.
        if (const juce::String group = row.group != nullptr ? row.group : "";
            group.isNotEmpty() && title.startsWith(group + " "))
            title = title.substring(group.length() + 1);
    }
    g.drawFittedText(title.substring(0, 1).toUpperCase() + title.substring(1), name.reduced(2, 0),
                     juce::Justification::centred, 1, 0.6f);
    g.setColour(look::k_text);
    g.drawFittedText(m_learning ? juce::String("move a CC") : value_words(), words, juce::Justification::centred, 1,
                     0.75f);
    look::draw_focus(g, *this);
}

void Knob::mouseDown(const juce::MouseEvent& event) {
    grabKeyboardFocus();
    if (event.mods.isPopupMenu()) {
        show_menu();
        return;
    }
    m_from = normalised();
    m_depth = event.mods.isAltDown() && !m_mine.empty();
    if (m_depth) {
        m_depth_from = m_mine.back().depth;
    } else {
        m_turning = true;
        m_processor.begin_change(m_place);
    }
}

void Knob::mouseDrag(const juce::MouseEvent& event) {
    const auto moved = static_cast<float>(-event.getDistanceFromDragStartY() + event.getDistanceFromDragStartX());
    const float by = moved / (event.mods.isShiftDown() ? 1200.0f : 180.0f);
    if (m_turning) {
        m_processor.change(m_place, value_from_normalised(*info().row, juce::jlimit(0.0f, 1.0f, m_from + by)));
        refresh();
    } else if (m_depth && !m_mine.empty()) {
        const double span = Routes::span(*info().row);
        m_mine.back().depth = juce::jlimit(-span, span, m_depth_from + static_cast<double>(by) * span);
        repaint();
    }
}

void Knob::mouseUp(const juce::MouseEvent&) {
    if (m_turning) m_processor.end_change(m_place);
    if (m_depth && !m_mine.empty()) {
        const PatchRoute route = m_mine.back();
        m_routes.set(route.source, route.target, route.depth);
    }
    m_turning = m_depth = false;
}

void Knob::mouseDoubleClick(const juce::MouseEvent&) {
    set_normalised(normalised_value(*info().row, info().row->fallback));
}

void Knob::mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) {
    set_normalised(normalised() + wheel.deltaY * (event.mods.isShiftDown() ? 0.02f : 0.15f));
}

bool Knob::isInterestedInDragSource(const SourceDetails& details) {
    return info().kind == ParameterKind::voice && info().row->modulatable &&
           details.description.toString().startsWith(k_drag);
}
void Knob::itemDragEnter(const SourceDetails&) {
    m_over = true;
    repaint();
}
void Knob::itemDragExit(const SourceDetails&) {
    m_over = false;
    repaint();
}
void Knob::itemDropped(const SourceDetails& details) {
    m_over = false;
    const std::string source = details.description.toString().substring(7).toStdString();
    m_routes.set(source, info().row->id, Routes::span(*info().row) * 0.25);
    refresh();
}

} // namespace tutti::plugin
