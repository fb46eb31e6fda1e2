// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>

#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {

constexpr int k_cell = 58;
constexpr int k_cell_height = 69;
constexpr int k_edge = 7;
constexpr int k_chip_row = 30;

struct Source {
    const char* id;
    const char* name;
};
constexpr Source k_sources[] = {
    {"env1", "Env 1"},        {"env2", "Env 2"},    {"lfo1", "LFO 1"},    {"lfo2", "LFO 2"},
    {"velocity", "Velocity"}, {"key", "Key"},       {"random", "Random"}, {"wheel", "Wheel"},
    {"pressure", "Pressure"}, {"timbre", "Timbre"}, {"bend", "Bend"},     {"expression", "Expr"},
    {"macro1", "M 1"},        {"macro2", "M 2"},    {"macro3", "M 3"},    {"macro4", "M 4"}};

bool ends(const std::string& id, const char* with) {
    const std::string_view tail(with);
    return id.size() >= tail.size() && std::string_view(id).substr(id.size() - tail.size()) == tail;
}

} // namespace

struct VoicePage::Panel : juce::Component {
    Panel(const juce::String& name) : title(name) {
        setTitle(name);
        setFocusContainerType(FocusContainerType::focusContainer);
    }
    int cells() const { return static_cast<int>(controls.size()) + curve_cells; }
    int columns() const { return std::max(1, (cells() + 1) / 2); }
    int wanted() const { return columns() * k_cell + 2 * k_edge; }
    void paint(juce::Graphics& g) override { look::draw_panel(g, getLocalBounds(), title); }
    void resized() override {
        const int count = columns();
        const float cell = static_cast<float>(getWidth() - 2 * k_edge) / static_cast<float>(count);
        int at = 0;
        const auto place = [&](juce::Component& component, int wide) {
            const int row = at / count, column = at % count;
            const int left = k_edge + juce::roundToInt(static_cast<float>(column) * cell);
            const int right = k_edge + juce::roundToInt(static_cast<float>(column + wide) * cell);
            component.setBounds(left, look::k_header + 3 + row * k_cell_height, right - left, k_cell_height - 2);
            at += wide;
        };
        if (curve != nullptr) {
            place(*curve, curve_cells);
            curve->setBounds(curve->getBounds().reduced(3, 6));
        }
        for (const auto& control : controls)
            place(*control, 1);
    }
    juce::String title;
    std::vector<std::unique_ptr<Control>> controls;
    std::unique_ptr<CurveView> curve;
    int curve_cells = 0;
};

VoicePage::VoicePage(Processor& processor, Routes& routes) : m_processor(processor), m_routes(routes) {
    setTitle("Voice");
    m_viewport.setTitle("Parameters of the voice");
    m_viewport.setViewedComponent(&m_content, false);
    m_viewport.setScrollBarsShown(true, false);
    m_viewport.setScrollBarThickness(8);
    addAndMakeVisible(m_viewport);
    for (const Source& source : k_sources) {
        m_chips.push_back(std::make_unique<SourceChip>(source.id, source.name));
        addAndMakeVisible(*m_chips.back());
    }
    build();
}

VoicePage::~VoicePage() = default;

void VoicePage::build() {
    m_panels.clear();
    m_voice = m_processor.instance().patch().voice;
    const auto tables = voice_tables();
    int table = -1;
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].id == m_voice) table = static_cast<int>(i);
    if (table < 0) return;
    const auto rows = tables[static_cast<std::size_t>(table)].parameters;
    const ParameterList& list = ParameterList::get();
    std::vector<std::string> names;
    std::vector<std::vector<int>> members;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string group = rows[i].group != nullptr ? rows[i].group : "";
        const auto found = std::find(names.begin(), names.end(), group);
        const auto at = static_cast<std::size_t>(found - names.begin());
        if (found == names.end()) {
            names.push_back(group);
            members.emplace_back();
        }
        members[at].push_back(static_cast<int>(i));
    }
    for (std::size_t n = 0; n < names.size(); ++n) {
        auto panel = std::make_unique<Panel>(text_of(names[n]));
        // The place of the group's parameter whose id ends so; -1: none.
        const auto with = [&](const char* tail) {
            for (const int index : members[n])
                if (ends(rows[static_cast<std::size_t>(index)].id, tail)) return list.voice(table, index);
            return -1;
        };
        const auto show = [&](std::vector<int> places, CurveView::Shape shape, int cells, const char* what) {
            panel->curve = std::make_unique<CurveView>(m_processor, std::move(places), std::move(shape),
                                                       panel->title + " " + what);
            panel->curve_cells = cells;
            panel->addAndMakeVisible(*panel->curve);
        };
        const int attack = with("attack"), decay = with("decay"), sustain = with("sustain"), release = with("release"),
                  curve = with("curve"), wave = with("_wave"), width = with("_width"), rate = with("_rate"),
                  cutoff = with("cutoff"), resonance = with("resonance"), type = with("filter_type");
        if (attack >= 0 && decay >= 0 && sustain >= 0 && release >= 0 && curve >= 0)
            show({attack, decay, sustain, release, curve}, envelope_shape(), 3, "curve");
        else if (cutoff >= 0 && resonance >= 0 && type >= 0)
            show({type, cutoff, resonance}, filter_shape(), 3, "response");
        else if (wave >= 0 && rate >= 0)
            show({wave}, lfo_shape(), 1, "shape");
        else if (wave >= 0 && width >= 0)
            show({wave, width}, wave_shape(), 1, "shape");
        for (const int index : members[n]) {
            panel->controls.push_back(make_control(m_processor, m_routes, list.voice(table, index)));
            panel->addAndMakeVisible(*panel->controls.back());
        }
        m_content.addAndMakeVisible(*panel);
        m_panels.push_back(std::move(panel));
    }
    lay_out();
}

void VoicePage::lay_out() {
    const int width = m_viewport.getWidth();
    if (width < 200) return;
    // First fit: a panel goes into the first row that has room; then each row is stretched to the page's width.
    std::vector<std::vector<Panel*>> rows;
    std::vector<int> taken;
    for (const auto& panel : m_panels) {
        std::size_t row = 0;
        while (row < rows.size() && taken[row] + look::k_gap + panel->wanted() > width - 10)
            ++row;
        if (row == rows.size()) {
            rows.emplace_back();
            taken.push_back(-look::k_gap);
        }
        rows[row].push_back(panel.get());
        taken[row] += look::k_gap + panel->wanted();
    }
    const int height = look::k_header + 2 * k_cell_height + k_edge;
    const bool scrolls = static_cast<int>(rows.size()) * (height + look::k_gap) - look::k_gap > m_viewport.getHeight();
    const int room = width - (scrolls ? 10 : 0);
    int y = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        int columns = 0;
        for (const Panel* panel : rows[r])
            columns += panel->columns();
        const int spare = std::max(0, room - taken[r]);
        // A last row with little in it is not blown up.
        const int share = std::min(spare / std::max(1, columns), 44);
        int x = 0;
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            Panel* const panel = rows[r][i];
            const bool last = i + 1 == rows[r].size() && spare / std::max(1, columns) <= 44;
            const int wide = last ? room - x : panel->wanted() + share * panel->columns();
            panel->setBounds(x, y, wide, height);
            x += wide + look::k_gap;
        }
        y += height + look::k_gap;
    }
    m_content.setSize(room, std::max(1, y - look::k_gap));
}

void VoicePage::resized() {
    juce::Rectangle<int> area = getLocalBounds();
    juce::Rectangle<int> strip = area.removeFromBottom(k_chip_row).withTrimmedTop(6);
    strip.removeFromLeft(78);
    const int count = static_cast<int>(m_chips.size());
    for (int i = 0; i < count; ++i) {
        const int left = strip.getX() + i * strip.getWidth() / count,
                  right = strip.getX() + (i + 1) * strip.getWidth() / count;
        m_chips[static_cast<std::size_t>(i)]->setBounds(left, strip.getY(), right - left - 4, strip.getHeight() - 2);
    }
    m_viewport.setBounds(area);
    lay_out();
}

void VoicePage::paint(juce::Graphics& g) {
    g.setColour(look::k_quiet);
    g.setFont(look::font(look::k_font_small, true));
    g.drawText("MODULATE",
               getLocalBounds().removeFromBottom(k_chip_row).withTrimmedTop(6).withWidth(74).translated(2, -1),
               juce::Justification::centredLeft, false);
}

void VoicePage::refresh() {
    for (const auto& panel : m_panels) {
        for (const auto& control : panel->controls)
            control->refresh();
        if (panel->curve != nullptr) panel->curve->refresh();
    }
    for (const auto& chip : m_chips) {
        const auto& routes = m_routes.all();
        chip->set_used(std::any_of(routes.begin(), routes.end(), [&](const PatchRoute& route) {
            return route.source == chip->source() || route.via == chip->source();
        }));
    }
}

void VoicePage::reload() {
    if (m_processor.instance().patch().voice != m_voice) build();
    refresh();
}

} // namespace tutti::plugin
