// SPDX-License-Identifier: AGPL-3.0-or-later
// What a player touches: a knob with its modulation ring, a choice, a switch; each bound to one parameter.
//
// A knob: drag up and down, with shift finely; wheel; arrow keys; double click for the default; type a number. A source dropped
// on it becomes a route; dragging with alt moves the last route's depth; the menu (right click, or the menu key) has the rest.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plugin/juce/look.h"
#include "plugin/juce/processor.h"

namespace tutti::plugin {

juce::String text_of(const std::string& utf8); // [control]

// Changes routes of the patch; refresh() of every control follows from the processor's generation.
class Routes {
public:
    explicit Routes(Processor& processor) : m_processor(processor) {}
    void refresh(); // reads the patch again [control]
    const std::vector<PatchRoute>& all() const noexcept { return m_routes; }
    // A route from `source`, or a change of the one there is; a depth of 0 removes it. [control]
    void set(const std::string& source, const std::string& target, double depth, bool keep_zero = false);
    // How far a route's depth may go: the range, in octaves where it is exponential. [control]
    static double span(const Parameter& row);

private:
    Processor& m_processor;
    std::vector<PatchRoute> m_routes;
};

// A parameter's control: value, name, text, MIDI learn, accessibility.
class Control : public juce::Component, public juce::SettableTooltipClient {
public:
    Control(Processor& processor, Routes& routes, int place);
    int place() const noexcept { return m_place; }
    const ParameterInfo& info() const { return ParameterList::get()[m_place]; }
    virtual void refresh(); // looks whether the value moved [control]

    bool keyPressed(const juce::KeyPress& key) override;
    void focusGained(FocusChangeType) override { repaint(); }
    void focusLost(FocusChangeType) override { repaint(); }
    std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

protected:
    float normalised() const;
    void set_normalised(float to); // a whole gesture
    juce::String value_words() const;
    void show_menu();
    void type_value();

    Processor& m_processor;
    Routes& m_routes;
    int m_place;
    float m_shown = -1.0f;
    bool m_learning = false;
    std::unique_ptr<juce::TextEditor> m_typing;
};

class Knob : public Control, public juce::DragAndDropTarget {
public:
    Knob(Processor& processor, Routes& routes, int place, bool small = false);
    void paint(juce::Graphics& g) override;
    void refresh() override;
    void mouseDown(const juce::MouseEvent& event) override;
    void mouseDrag(const juce::MouseEvent& event) override;
    void mouseUp(const juce::MouseEvent& event) override;
    void mouseDoubleClick(const juce::MouseEvent& event) override;
    void mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) override;
    bool isInterestedInDragSource(const SourceDetails& details) override;
    void itemDragEnter(const SourceDetails& details) override;
    void itemDragExit(const SourceDetails& details) override;
    void itemDropped(const SourceDetails& details) override;

private:
    std::vector<PatchRoute> m_mine;
    float m_from = 0.0f;
    double m_depth_from = 0.0;
    bool m_turning = false;
    bool m_depth = false; // alt: the depth of the last route
    bool m_over = false;  // a source hovers
    bool m_small = false;
};

class Choice : public Control {
public:
    Choice(Processor& processor, Routes& routes, int place);
    void paint(juce::Graphics& g) override;
    void resized() override;
    void refresh() override;
    void mouseDown(const juce::MouseEvent& event) override;

private:
    juce::ComboBox m_box;
};

class Switch : public Control {
public:
    using Control::Control;
    void paint(juce::Graphics& g) override;
    void mouseDown(const juce::MouseEvent& event) override;
};

// The control that fits a parameter. [control]
std::unique_ptr<Control> make_control(Processor& processor, Routes& routes, int place);

// What is dragged onto knobs: "lfo1", "env2", "wheel", ...
class SourceChip : public juce::Component, public juce::SettableTooltipClient {
public:
    SourceChip(const std::string& source, const juce::String& name);
    void paint(juce::Graphics& g) override;
    void mouseDrag(const juce::MouseEvent& event) override;
    void set_used(bool used);
    const std::string& source() const noexcept { return m_source; }

private:
    std::string m_source;
    juce::String m_name;
    bool m_used = false;
};

} // namespace tutti::plugin
