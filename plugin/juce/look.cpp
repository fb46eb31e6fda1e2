// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/look.h"

namespace tutti::plugin::look {

void draw_panel(juce::Graphics& g, juce::Rectangle<int> bounds, const juce::String& name) {
    const juce::Rectangle<float> area = bounds.toFloat().reduced(0.5f);
    g.setColour(k_panel);
    g.fillRoundedRectangle(area, k_corner);
    g.setColour(k_panel_edge);
    g.drawRoundedRectangle(area, k_corner, 1.0f);
    g.setColour(k_quiet);
    g.setFont(font(k_font_small, true));
    g.drawText(name.toUpperCase(), bounds.withHeight(k_header).reduced(9, 0).translated(0, 2),
               juce::Justification::centredLeft, true);
}

void draw_well(juce::Graphics& g, juce::Rectangle<float> bounds) {
    g.setColour(k_well);
    g.fillRoundedRectangle(bounds, 4.0f);
    g.setColour(k_panel_edge);
    g.drawRoundedRectangle(bounds.reduced(0.5f), 4.0f, 1.0f);
}

void draw_focus(juce::Graphics& g, const juce::Component& component) {
    if (!component.hasKeyboardFocus(false)) return;
    g.setColour(k_accent.withAlpha(0.7f));
    g.drawRoundedRectangle(component.getLocalBounds().toFloat().reduced(1.0f), 4.0f, 1.2f);
}

LookAndFeel::LookAndFeel() {
    setColour(juce::ResizableWindow::backgroundColourId, k_ground);
    setColour(juce::DocumentWindow::textColourId, k_text);
    setColour(juce::TextButton::buttonColourId, k_panel);
    setColour(juce::TextButton::buttonOnColourId, k_accent_dark);
    setColour(juce::TextButton::textColourOffId, k_text);
    setColour(juce::TextButton::textColourOnId, k_text);
    setColour(juce::ComboBox::backgroundColourId, k_well);
    setColour(juce::ComboBox::textColourId, k_text);
    setColour(juce::ComboBox::outlineColourId, k_panel_edge);
    setColour(juce::ComboBox::arrowColourId, k_quiet);
    setColour(juce::PopupMenu::backgroundColourId, k_panel);
    setColour(juce::PopupMenu::textColourId, k_text);
    setColour(juce::PopupMenu::headerTextColourId, k_quiet);
    setColour(juce::PopupMenu::highlightedBackgroundColourId, k_accent_dark);
    setColour(juce::PopupMenu::highlightedTextColourId, k_text);
    setColour(juce::Label::textColourId, k_text);
    setColour(juce::TextEditor::backgroundColourId, k_well);
    setColour(juce::TextEditor::textColourId, k_text);
    setColour(juce::TextEditor::outlineColourId, k_panel_edge);
    setColour(juce::TextEditor::focusedOutlineColourId, k_accent);
    setColour(juce::TextEditor::highlightColourId, k_accent_dark);
    setColour(juce::TextEditor::highlightedTextColourId, k_text);
    setColour(juce::CaretComponent::caretColourId, k_accent);
    setColour(juce::ListBox::backgroundColourId, k_well);
    setColour(juce::ListBox::textColourId, k_text);
    setColour(juce::ListBox::outlineColourId, k_panel_edge);
    setColour(juce::ScrollBar::thumbColourId, k_faint);
    setColour(juce::ToggleButton::textColourId, k_text);
    setColour(juce::ToggleButton::tickColourId, k_accent);
    setColour(juce::ToggleButton::tickDisabledColourId, k_faint);
    setColour(juce::AlertWindow::backgroundColourId, k_panel);
    setColour(juce::AlertWindow::textColourId, k_text);
    setColour(juce::AlertWindow::outlineColourId, k_panel_edge);
    setColour(juce::TooltipWindow::backgroundColourId, k_well);
    setColour(juce::TooltipWindow::textColourId, k_text);
    setColour(juce::TooltipWindow::outlineColourId, k_faint);
    setColour(juce::MidiKeyboardComponent::whiteNoteColourId, k_white_key);
    setColour(juce::MidiKeyboardComponent::blackNoteColourId, k_black_key);
    setColour(juce::MidiKeyboardComponent::keySeparatorLineColourId, k_faint);
    setColour(juce::MidiKeyboardComponent::keyDownOverlayColourId, k_accent.withAlpha(0.85f));
    setColour(juce::MidiKeyboardComponent::mouseOverKeyOverlayColourId, k_accent.withAlpha(0.25f));
    setColour(juce::MidiKeyboardComponent::shadowColourId, juce::Colours::transparentBlack);
    setColour(juce::MidiKeyboardComponent::textLabelColourId, juce::Colour(0xff5a5f66));
    setColour(juce::MidiKeyboardComponent::upDownButtonBackgroundColourId, k_panel);
    setColour(juce::MidiKeyboardComponent::upDownButtonArrowColourId, k_quiet);
}

void LookAndFeel::drawButtonBackground(juce::Graphics& g, juce::Button& button, const juce::Colour&, bool over,
                                       bool down) {
    const juce::Rectangle<float> area = button.getLocalBounds().toFloat().reduced(0.5f);
    juce::Colour ground = button.getToggleState() ? k_accent_dark : k_panel;
    if (over) ground = ground.brighter(0.12f);
    if (down) ground = ground.brighter(0.25f);
    g.setColour(ground);
    g.fillRoundedRectangle(area, 4.0f);
    g.setColour(button.getToggleState() ? k_accent : k_panel_edge);
    g.drawRoundedRectangle(area, 4.0f, 1.0f);
    draw_focus(g, button);
}

void LookAndFeel::drawButtonText(juce::Graphics& g, juce::TextButton& button, bool, bool) {
    g.setColour(button.isEnabled() ? k_text : k_faint);
    g.setFont(font());
    g.drawFittedText(button.getButtonText(), button.getLocalBounds().reduced(4, 0), juce::Justification::centred, 1,
                     0.9f);
}

juce::Font LookAndFeel::getTextButtonFont(juce::TextButton&, int) {
    return font();
}
juce::Font LookAndFeel::getPopupMenuFont() {
    return font(13.5f);
}
juce::Font LookAndFeel::getLabelFont(juce::Label& label) {
    return label.getFont();
}

void LookAndFeel::drawComboBox(juce::Graphics& g, int width, int height, bool, int, int, int, int,
                               juce::ComboBox& box) {
    draw_well(g, juce::Rectangle<int>(width, height).toFloat());
    juce::Path arrow;
    const float x = static_cast<float>(width) - 11.0f, y = static_cast<float>(height) * 0.5f;
    arrow.addTriangle(x - 3.5f, y - 2.0f, x + 3.5f, y - 2.0f, x, y + 3.0f);
    g.setColour(k_quiet);
    g.fillPath(arrow);
    draw_focus(g, box);
}
juce::Font LookAndFeel::getComboBoxFont(juce::ComboBox&) {
    return font(k_font_small + 0.5f);
}
void LookAndFeel::positionComboBoxText(juce::ComboBox& box, juce::Label& label) {
    label.setBounds(2, 1, box.getWidth() - 18, box.getHeight() - 2);
    label.setFont(getComboBoxFont(box));
    // "low pass" whole in the narrowest box: letters a little narrower before any is left out.
    label.setBorderSize(juce::BorderSize<int>(0, 4, 0, 0));
    label.setMinimumHorizontalScale(0.6f);
}

} // namespace tutti::plugin::look
