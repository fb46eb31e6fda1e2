// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>

#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {

constexpr int k_card_columns = 3;
constexpr int k_play_width = 268;
constexpr const char* k_card = "effect:";

int table_of(const std::string& type) {
    const auto tables = effect_tables();
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].id == type) return static_cast<int>(i);
    return -1;
}

} // namespace

// One effect of the chain.
struct EffectsPage::Card : juce::Component {
    Card(EffectsPage& owner, int at, const PatchEffect& effect, bool first) : page(owner), index(at) {
        const int table = table_of(effect.type);
        title = table >= 0 ? text_of(std::string(effect_tables()[static_cast<std::size_t>(table)].name))
                           : text_of(effect.type);
        setTitle(title);
        setFocusContainerType(FocusContainerType::focusContainer);
        on.setToggleState(effect.enabled, juce::dontSendNotification);
        on.setTitle(title + " on");
        on.setClickingTogglesState(true);
        on.onClick = [this] {
            const bool now = on.getToggleState();
            page.edit([&](Patch& patch) { patch.effects[static_cast<std::size_t>(index)].enabled = now; },
                      now ? "Effect on" : "Effect off");
        };
        left.setTitle("Move " + title + " left");
        right.setTitle("Move " + title + " right");
        away.setTitle("Remove " + title);
        left.onClick = [this] { page.move(index, index - 1); };
        right.onClick = [this] { page.move(index, index + 1); };
        away.onClick = [this] {
            page.edit([&](Patch& patch) { patch.effects.erase(patch.effects.begin() + index); }, "Remove " + title);
        };
        for (juce::Button* button : {static_cast<juce::Button*>(&on), static_cast<juce::Button*>(&left),
                                     static_cast<juce::Button*>(&right), static_cast<juce::Button*>(&away)})
            addAndMakeVisible(button);
        if (table < 0 || !first) return; // a second one of a type has no parameters of its own for a host
        const auto rows = effect_tables()[static_cast<std::size_t>(table)].parameters;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            controls.push_back(
                make_control(page.m_processor, page.m_routes, ParameterList::get().effect(table, static_cast<int>(i))));
            addAndMakeVisible(*controls.back());
        }
    }
    int wanted() const {
        return look::k_header + 14 +
               (static_cast<int>(controls.size()) + k_card_columns - 1) / k_card_columns * look::k_knob_height;
    }
    void paint(juce::Graphics& g) override {
        look::draw_panel(g, getLocalBounds(), juce::String(index + 1) + "  " + title);
        if (controls.empty()) {
            g.setColour(look::k_quiet);
            g.setFont(look::font());
            g.drawFittedText("The second of its kind: edited in the preset's file.", getLocalBounds().reduced(12, 28),
                             juce::Justification::topLeft, 2);
        }
    }
    void resized() override {
        juce::Rectangle<int> head = getLocalBounds().removeFromTop(look::k_header + 4).reduced(5, 3);
        away.setBounds(head.removeFromRight(18));
        head.removeFromRight(3);
        right.setBounds(head.removeFromRight(18));
        head.removeFromRight(3);
        left.setBounds(head.removeFromRight(18));
        head.removeFromRight(3);
        on.setBounds(head.removeFromRight(28));
        const int cell = (getWidth() - 12) / k_card_columns;
        for (std::size_t i = 0; i < controls.size(); ++i)
            controls[i]->setBounds(6 + static_cast<int>(i) % k_card_columns * cell,
                                   look::k_header + 8 + static_cast<int>(i) / k_card_columns * look::k_knob_height,
                                   cell, look::k_knob_height - 3);
    }
    void mouseDrag(const juce::MouseEvent& event) override {
        auto* const container = juce::DragAndDropContainer::findParentDragContainerFor(this);
        if (container != nullptr && !container->isDragAndDropActive() && event.getDistanceFromDragStart() > 6 &&
            event.getMouseDownY() < look::k_header + 4)
            container->startDragging(juce::String(k_card) + juce::String(index), this);
    }
    EffectsPage& page;
    int index;
    juce::String title;
    juce::TextButton on{"on"}, left{"<"}, right{">"}, away{"x"};
    std::vector<std::unique_ptr<Control>> controls;
};

// How the patch is played: what is no parameter of a host's.
struct EffectsPage::Play : juce::Component {
    struct Line {
        juce::String name;
        std::unique_ptr<juce::Component> field;
    };
    explicit Play(EffectsPage& owner) : page(owner) {
        setTitle("Play");
        choice("Mode", {"poly", "mono", "legato"}, [](Patch& p, int i) { p.mode = static_cast<PlayMode>(i); });
        choice("Priority", {"last key", "highest", "lowest"},
               [](Patch& p, int i) { p.priority = static_cast<NotePriority>(i); });
        choice("Stealing", {"quietest", "oldest", "same note"},
               [](Patch& p, int i) { p.steal = static_cast<StealPolicy>(i); });
        choice("Oscillators", {"eco", "standard", "ultra"},
               [](Patch& p, int i) { p.quality = static_cast<Quality>(i); });
        number("Voices", 1, 128, 1, "", [](Patch& p, double v) { p.voices = static_cast<int>(v); });
        number("Glide", 0, 5, 0.01, " s", [](Patch& p, double v) { p.glide_seconds = v; });
        number("Bend range", 0, 48, 1, " st", [](Patch& p, double v) { p.bend_range = v; });
        number("Velocity curve", -1, 1, 0.01, "", [](Patch& p, double v) { p.velocity_curve = v; });
        number("Gain", -40, 12, 0.1, " dB", [](Patch& p, double v) { p.gain_db = v; });
        number("To the room", 0, 2, 0.01, "", [](Patch& p, double v) { p.room_send = v; });
        number("To the hall", 0, 2, 0.01, "", [](Patch& p, double v) { p.hall_send = v; });
    }
    void choice(const char* name, const juce::StringArray& names, std::function<void(Patch&, int)> take) {
        auto box = std::make_unique<juce::ComboBox>();
        box->addItemList(names, 1);
        box->setTitle(name);
        box->onChange = [this, raw = box.get(), take, name] {
            page.edit([&](Patch& patch) { take(patch, raw->getSelectedItemIndex()); }, name);
        };
        addAndMakeVisible(*box);
        lines.push_back({name, std::move(box)});
    }
    void number(const char* name, double low, double high, double step, const char* unit,
                std::function<void(Patch&, double)> take) {
        auto slider = std::make_unique<juce::Slider>(juce::Slider::LinearBar, juce::Slider::TextBoxRight);
        slider->setRange(low, high, step);
        slider->setTextValueSuffix(unit);
        slider->setTitle(name);
        slider->setChangeNotificationOnlyOnRelease(true);
        slider->setColour(juce::Slider::trackColourId, look::k_accent_dark);
        slider->setColour(juce::Slider::backgroundColourId, look::k_well);
        slider->setColour(juce::Slider::textBoxTextColourId, look::k_text);
        slider->setColour(juce::Slider::textBoxOutlineColourId, look::k_panel_edge);
        slider->onValueChange = [this, raw = slider.get(), take, name] {
            page.edit([&](Patch& patch) { take(patch, raw->getValue()); }, name);
        };
        addAndMakeVisible(*slider);
        lines.push_back({name, std::move(slider)});
    }
    void read(const Patch& p) {
        const int choices[] = {static_cast<int>(p.mode), static_cast<int>(p.priority), static_cast<int>(p.steal),
                               static_cast<int>(p.quality)};
        const double numbers[] = {static_cast<double>(p.voices),
                                  p.glide_seconds,
                                  p.bend_range,
                                  p.velocity_curve,
                                  p.gain_db,
                                  p.room_send,
                                  p.hall_send};
        for (std::size_t i = 0; i < lines.size(); ++i)
            if (auto* const box = dynamic_cast<juce::ComboBox*>(lines[i].field.get()))
                box->setSelectedItemIndex(choices[i], juce::dontSendNotification);
            else if (auto* const slider = dynamic_cast<juce::Slider*>(lines[i].field.get()))
                slider->setValue(numbers[i - 4], juce::dontSendNotification);
    }
    void paint(juce::Graphics& g) override {
        look::draw_panel(g, getLocalBounds(), "How it is played");
        g.setColour(look::k_quiet);
        g.setFont(look::font());
        for (const Line& line : lines)
            g.drawText(line.name, 12, line.field->getY(), 96, line.field->getHeight(), juce::Justification::centredLeft,
                       true);
    }
    void resized() override {
        int y = look::k_header + 10;
        for (const Line& line : lines) {
            line.field->setBounds(112, y, getWidth() - 124, 24);
            y += 32;
        }
    }
    EffectsPage& page;
    std::vector<Line> lines;
};

EffectsPage::EffectsPage(Processor& processor, Routes& routes)
    : m_processor(processor), m_routes(routes), m_play(std::make_unique<Play>(*this)) {
    m_add.onClick = [this] { add(); };
    addAndMakeVisible(m_add);
    addAndMakeVisible(*m_play);
    setTitle("Effects");
    m_viewport.setTitle("Chain of effects");
    m_viewport.setViewedComponent(&m_content, false);
    m_viewport.setScrollBarsShown(true, false);
    m_viewport.setScrollBarThickness(8);
    addAndMakeVisible(m_viewport);
    reload();
}

EffectsPage::~EffectsPage() = default;

void EffectsPage::edit(const std::function<void(Patch&)>& change, const juce::String& step) {
    // After the button's or the list's own callback: a card that removes itself must be left first.
    juce::MessageManager::callAsync([safe = juce::Component::SafePointer<EffectsPage>(this), change, step] {
        if (safe == nullptr) return;
        Patch patch = safe->m_processor.instance().patch();
        change(patch);
        // A patch that is refused leaves the page as it was.
        (void)safe->m_processor.instance().edit_patch(patch, step.toStdString());
        safe->reload();
    });
}

void EffectsPage::move(int from, int to) {
    const int count = static_cast<int>(m_cards.size());
    if (from == to || from < 0 || to < 0 || from >= count || to >= count) return;
    edit(
        [from, to](Patch& patch) {
            PatchEffect effect = patch.effects[static_cast<std::size_t>(from)];
            patch.effects.erase(patch.effects.begin() + from);
            patch.effects.insert(patch.effects.begin() + to, std::move(effect));
        },
        "Move effect");
}

void EffectsPage::add() {
    juce::PopupMenu menu;
    const Patch patch = m_processor.instance().patch();
    for (const TypeTable& table : effect_tables()) {
        const std::string id(table.id);
        const bool there =
            std::any_of(patch.effects.begin(), patch.effects.end(), [&](const PatchEffect& e) { return e.type == id; });
        menu.addItem(text_of(std::string(table.name)), !there, false, [this, id] {
            edit(
                [id](Patch& next) {
                    PatchEffect effect;
                    effect.type = id;
                    next.effects.push_back(std::move(effect));
                },
                "Add " + text_of(id));
        });
    }
    menu.showMenuAsync(juce::PopupMenu::Options().withTargetComponent(m_add));
}

bool EffectsPage::isInterestedInDragSource(const SourceDetails& details) {
    return details.description.toString().startsWith(k_card);
}
void EffectsPage::itemDropped(const SourceDetails& details) {
    const int from = details.description.toString().substring(7).getIntValue();
    const juce::Point<int> at = m_content.getLocalPoint(this, details.localPosition.toInt());
    for (const auto& card : m_cards)
        if (card->getBounds().contains(at)) {
            move(from, card->index);
            return;
        }
}

void EffectsPage::reload() {
    const Patch patch = m_processor.instance().patch();
    m_play->read(patch);
    m_cards.clear();
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < patch.effects.size(); ++i) {
        const std::string& type = patch.effects[i].type;
        const bool first = std::find(seen.begin(), seen.end(), type) == seen.end();
        seen.push_back(type);
        m_cards.push_back(std::make_unique<Card>(*this, static_cast<int>(i), patch.effects[i], first));
        m_content.addAndMakeVisible(*m_cards.back());
    }
    resized();
    repaint();
}

void EffectsPage::refresh() {
    for (const auto& card : m_cards)
        for (const auto& control : card->controls)
            control->refresh();
}

void EffectsPage::resized() {
    juce::Rectangle<int> area = getLocalBounds();
    m_play->setBounds(area.removeFromRight(k_play_width));
    area.removeFromRight(look::k_gap);
    m_add.setBounds(area.removeFromTop(26).removeFromLeft(110));
    area.removeFromTop(look::k_gap);
    m_viewport.setBounds(area);
    constexpr int across = 3;
    const int wide = (area.getWidth() - 10 - (across - 1) * look::k_gap) / across;
    // Rows from left to right; a row is as high as its highest card.
    int y = 0;
    for (std::size_t at = 0; at < m_cards.size(); at += across) {
        int height = 120;
        for (std::size_t i = at; i < std::min(m_cards.size(), at + across); ++i)
            height = std::max(height, m_cards[i]->wanted());
        for (std::size_t i = at; i < std::min(m_cards.size(), at + across); ++i)
            m_cards[i]->setBounds(static_cast<int>(i - at) * (wide + look::k_gap), y, wide, height);
        y += height + look::k_gap;
    }
    m_content.setSize(std::max(1, area.getWidth() - 10), std::max(1, y));
}

void EffectsPage::paint(juce::Graphics& g) {
    g.setColour(look::k_quiet);
    g.setFont(look::font());
    const juce::Rectangle<int> row =
        getLocalBounds().withTrimmedRight(k_play_width + look::k_gap).removeFromTop(26).withTrimmedLeft(122);
    g.drawFittedText(m_cards.empty() ? "No effects: the voice sounds as it is."
                                     : "The sound runs through them in this order; drag a name to move it.",
                     row, juce::Justification::centredLeft, 1);
}

} // namespace tutti::plugin
