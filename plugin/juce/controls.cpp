// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/controls.h"

#include <algorithm>
#include <cmath>

namespace tutti::plugin {
namespace {

constexpr const char* k_drag = "source:";

} // namespace

juce::String text_of(const std::string& utf8) {
    return juce::String::fromUTF8(utf8.data(), static_cast<int>(utf8.size()));
}

// --- routes

void Routes::refresh() {
    m_routes = m_processor.instance().patch().routes;
}

double Routes::span(const Parameter& row) {
    if (row.curve == Curve::exponential)
        return std::log2(static_cast<double>(row.maximum) / static_cast<double>(row.minimum));
    return static_cast<double>(row.maximum) - static_cast<double>(row.minimum);
}

void Routes::set(const std::string& source, const std::string& target, double depth, bool keep_zero) {
    Patch patch = m_processor.instance().patch();
    auto found = std::find_if(patch.routes.begin(), patch.routes.end(), [&](const PatchRoute& route) {
        return route.source == source && route.target == target;
    });
    const bool gone = depth == 0.0 && !keep_zero;
    if (found != patch.routes.end()) {
        if (gone)
            patch.routes.erase(found);
        else
            found->depth = depth;
    } else if (!gone) {
        if (patch.routes.size() >= 16) return; // the patch holds no more; the chip says so
        PatchRoute route;
        route.source = source;
        route.target = target;
        route.depth = depth;
        patch.routes.push_back(std::move(route));
    }
    // Refused only where the patch would be none; the picture then stays as it was.
    if (m_processor.instance().edit_patch(patch, gone ? "Remove route" : "Route " + source)) m_routes = patch.routes;
}

// --- control

Control::Control(Processor& processor, Routes& routes, int place)
    : m_processor(processor), m_routes(routes), m_place(place) {
    setWantsKeyboardFocus(true);
    setTitle(text_of(info().name));
    setName(text_of(info().id));
}

float Control::normalised() const {
    return normalised_value(*info().row, m_processor.instance().value(m_place));
}

void Control::set_normalised(float to) {
    m_processor.begin_change(m_place);
    m_processor.change(m_place, value_from_normalised(*info().row, juce::jlimit(0.0f, 1.0f, to)));
    m_processor.end_change(m_place);
    refresh();
}

juce::String Control::value_words() const {
    return text_of(value_text(*info().row, m_processor.instance().value(m_place)));
}

void Control::refresh() {
    const float now = normalised();
    const bool learning = m_processor.instance().learning() == m_place;
    if (now == m_shown && learning == m_learning) return;
    m_shown = now;
    m_learning = learning;
    setTooltip(text_of(info().name) + ": " + value_words());
    repaint();
}

bool Control::keyPressed(const juce::KeyPress& key) {
    const int steps = info().steps();
    const float step = steps > 1                          ? 1.0f / static_cast<float>(steps - 1)
                       : key.getModifiers().isShiftDown() ? 0.002f
                                                          : 0.02f;
    if (key.isKeyCode(juce::KeyPress::upKey) || key.isKeyCode(juce::KeyPress::rightKey))
        set_normalised(normalised() + step);
    else if (key.isKeyCode(juce::KeyPress::downKey) || key.isKeyCode(juce::KeyPress::leftKey))
        set_normalised(normalised() - step);
    else if (key.isKeyCode(juce::KeyPress::homeKey))
        set_normalised(0.0f);
    else if (key.isKeyCode(juce::KeyPress::endKey))
        set_normalised(1.0f);
    else if (key.isKeyCode(juce::KeyPress::deleteKey) || key.isKeyCode(juce::KeyPress::backspaceKey))
        set_normalised(normalised_value(*info().row, info().row->fallback));
    else if (key.isKeyCode(juce::KeyPress::returnKey))
        type_value();
    else if (key.isKeyCode(juce::KeyPress::F10Key))
        show_menu();
    else
        return false;
    return true;
}

std::unique_ptr<juce::AccessibilityHandler> Control::createAccessibilityHandler() {
    class Value : public juce::AccessibilityValueInterface {
    public:
        explicit Value(Control& control) : m_control(control) {}
        bool isReadOnly() const override { return false; }
        double getCurrentValue() const override { return static_cast<double>(m_control.normalised()); }
        juce::String getCurrentValueAsString() const override { return m_control.value_words(); }
        void setValue(double value) override { m_control.set_normalised(static_cast<float>(value)); }
        void setValueAsString(const juce::String& words) override {
            if (const Result<float> value = value_from_text(*m_control.info().row, words.toStdString()))
                m_control.set_normalised(normalised_value(*m_control.info().row, *value));
        }
        AccessibleValueRange getRange() const override { return {{0.0, 1.0}, 0.01}; }

    private:
        Control& m_control;
    };
    return std::make_unique<juce::AccessibilityHandler>(
        *this, juce::AccessibilityRole::slider,
        juce::AccessibilityActions().addAction(juce::AccessibilityActionType::showMenu, [this] { show_menu(); }),
        juce::AccessibilityHandler::Interfaces{std::make_unique<Value>(*this)});
}

void Control::type_value() {
    m_typing = std::make_unique<juce::TextEditor>();
    m_typing->setFont(look::font(look::k_font_small));
    m_typing->setText(value_words(), false);
    m_typing->setJustification(juce::Justification::centred);
    m_typing->setBounds(getLocalBounds().removeFromBottom(18));
    addAndMakeVisible(*m_typing);
    m_typing->selectAll();
    m_typing->grabKeyboardFocus();
    const auto close = [safe = juce::Component::SafePointer<Control>(this)](bool take) {
        if (safe == nullptr || safe->m_typing == nullptr) return;
        const juce::String words = safe->m_typing->getText();
        // The editor must not end inside its own callback.
        juce::MessageManager::callAsync([safe] {
            if (safe != nullptr) safe->m_typing = nullptr;
        });
        if (!take) return;
        if (const Result<float> value = value_from_text(*safe->info().row, words.toStdString()))
            safe->set_normalised(normalised_value(*safe->info().row, *value));
    };
    m_typing->onReturnKey = [close] { close(true); };
    m_typing->onEscapeKey = [close] { close(false); };
    m_typing->onFocusLost = [close] { close(true); };
}

void Control::show_menu() {
    juce::PopupMenu menu;
    const int controller = m_processor.instance().controller_of(m_place);
    menu.addSectionHeader(text_of(info().name) + ": " + value_words());
    menu.addItem("Type a value...", [this] { type_value(); });
    menu.addItem("Default", [this] { set_normalised(normalised_value(*info().row, info().row->fallback)); });
    menu.addSeparator();
    menu.addItem(m_learning ? "Stop learning" : "Learn a MIDI controller",
                 [this] { m_processor.instance().learn(m_learning ? -1 : m_place); });
    if (controller >= 0)
        menu.addItem("Forget controller " + juce::String(controller),
                     [this] { m_processor.instance().forget_controller(m_place); });
    bool first = true;
    for (const PatchRoute& route : m_routes.all()) {
        if (info().kind != ParameterKind::voice || route.target != info().row->id) continue;
        if (first) menu.addSeparator();
        first = false;
        menu.addItem("Remove modulation by " + text_of(route.source),
                     [this, route] { m_routes.set(route.source, route.target, 0.0); });
    }
    menu.showMenuAsync(juce::PopupMenu::Options().withTargetComponent(this));
}

// --- choice

Choice::Choice(Processor& processor, Routes& routes, int place) : Control(processor, routes, place) {
    setWantsKeyboardFocus(false);
    const Parameter& row = *info().row;
    for (int i = 0; i < row.choice_count; ++i)
        m_box.addItem(juce::String(row.choices[i]).replaceCharacter('_', ' '), i + 1);
    m_box.setTitle(text_of(info().name));
    m_box.onChange = [this] {
        const int chosen = m_box.getSelectedItemIndex();
        const Parameter& held = *info().row;
        if (chosen >= 0 && chosen != static_cast<int>(m_processor.instance().value(m_place) + 0.5f))
            set_normalised(normalised_value(held, static_cast<float>(chosen)));
    };
    addAndMakeVisible(m_box);
    refresh();
}

void Choice::refresh() {
    Control::refresh();
    m_box.setSelectedItemIndex(static_cast<int>(m_processor.instance().value(m_place) + 0.5f),
                               juce::dontSendNotification);
}

void Choice::resized() {
    m_box.setBounds(getLocalBounds().withTrimmedTop(15).withSizeKeepingCentre(getWidth() - 6, 22));
}

void Choice::paint(juce::Graphics& g) {
    g.setFont(look::font(look::k_font_small));
    g.setColour(look::k_quiet);
    g.drawFittedText(text_of(info().row->name), getLocalBounds().removeFromTop(15), juce::Justification::centred, 1,
                     0.75f);
}

void Choice::mouseDown(const juce::MouseEvent& event) {
    if (event.mods.isPopupMenu()) show_menu();
}

// --- switch

void Switch::paint(juce::Graphics& g) {
    const bool on = m_shown > 0.5f;
    g.setFont(look::font(look::k_font_small));
    g.setColour(look::k_quiet);
    g.drawFittedText(text_of(info().row->name), getLocalBounds().removeFromTop(15), juce::Justification::centred, 1,
                     0.75f);
    const juce::Rectangle<float> body =
        getLocalBounds().withTrimmedTop(15).toFloat().withSizeKeepingCentre(32.0f, 17.0f);
    g.setColour(on ? look::k_accent_dark : look::k_well);
    g.fillRoundedRectangle(body, 8.5f);
    g.setColour(on ? look::k_accent : look::k_faint);
    g.drawRoundedRectangle(body, 8.5f, 1.2f);
    g.fillEllipse(on ? body.getRight() - 15.0f : body.getX() + 2.0f, body.getY() + 2.0f, 13.0f, 13.0f);
    look::draw_focus(g, *this);
}

void Switch::mouseDown(const juce::MouseEvent& event) {
    grabKeyboardFocus();
    if (event.mods.isPopupMenu())
        show_menu();
    else
        set_normalised(m_shown > 0.5f ? 0.0f : 1.0f);
}

std::unique_ptr<Control> make_control(Processor& processor, Routes& routes, int place) {
    const ParameterInfo& info = ParameterList::get()[place];
    std::unique_ptr<Control> control;
    if (info.row->unit == Unit::choice)
        control = std::make_unique<Choice>(processor, routes, place);
    else if (info.row->unit == Unit::toggle)
        control = std::make_unique<Switch>(processor, routes, place);
    else
        control = std::make_unique<Knob>(processor, routes, place);
    control->refresh();
    return control;
}

// --- sources

SourceChip::SourceChip(const std::string& source, const juce::String& name) : m_source(source), m_name(name) {
    setTitle("Modulation source " + name);
    setTooltip("Drag " + name + " onto a knob");
    setMouseCursor(juce::MouseCursor::DraggingHandCursor);
}

void SourceChip::paint(juce::Graphics& g) {
    const juce::Rectangle<float> area = getLocalBounds().toFloat().reduced(0.5f);
    g.setColour(m_used ? look::k_move.withAlpha(0.25f) : look::k_panel);
    g.fillRoundedRectangle(area, area.getHeight() * 0.5f);
    g.setColour(m_used ? look::k_move : look::k_faint);
    g.drawRoundedRectangle(area, area.getHeight() * 0.5f, 1.0f);
    g.setColour(m_used ? look::k_text : look::k_quiet);
    g.setFont(look::font(look::k_font_small));
    g.drawFittedText(m_name, getLocalBounds().reduced(5, 0), juce::Justification::centred, 1, 0.8f);
}

void SourceChip::mouseDrag(const juce::MouseEvent& event) {
    auto* const container = juce::DragAndDropContainer::findParentDragContainerFor(this);
    if (container != nullptr && !container->isDragAndDropActive() && event.getDistanceFromDragStart() > 4)
        container->startDragging(juce::String(k_drag) + juce::String(m_source), this);
}

void SourceChip::set_used(bool used) {
    if (used == m_used) return;
    m_used = used;
    repaint();
}

} // namespace tutti::plugin
