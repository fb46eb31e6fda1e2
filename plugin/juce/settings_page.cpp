// SPDX-License-Identifier: AGPL-3.0-or-later
#include <tutti/tuning.h>

#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {
constexpr int k_looks[] = {1, 2, 4, 8, 16, 32};
constexpr int k_bends[] = {2, 12, 24, 48, 96};
constexpr int k_left = 190;
constexpr int k_line = 36;
} // namespace

SettingsPage::SettingsPage(Processor& processor) : m_processor(processor) {
    setTitle("Settings");
    m_mode.addItem("inline: no latency, on the host's thread", 1);
    m_mode.addItem("ahead: all instances as one batch, a little later", 2);
    m_mode.setTitle("Mode");
    m_mode.onChange = [this] {
        change([this](Settings& s) { s.mode = m_mode.getSelectedId() == 2 ? Mode::ahead : Mode::inline_; });
    };
    for (const int blocks : k_looks)
        m_ahead.addItem(juce::String(blocks * 64) + " frames", blocks);
    m_ahead.setTitle("Look-ahead");
    m_ahead.onChange = [this] { change([this](Settings& s) { s.look_ahead_blocks = m_ahead.getSelectedId(); }); };
    for (const int semitones : k_bends)
        m_bend.addItem(juce::String(semitones) + " semitones", semitones);
    m_bend.setTitle("MPE bend range");
    m_bend.onChange = [this] { change([this](Settings& s) { s.mpe_bend_range = m_bend.getSelectedId(); }); };
    m_mpe.addItem("off: every channel plays the sound", 1);
    m_mpe.addItem("lower zone: channel 1 leads 2 to 16", 2);
    m_mpe.addItem("upper zone: channel 16 leads 15 to 1", 3);
    m_mpe.setTitle("MPE");
    m_mpe.onChange = [this] {
        change([this](Settings& s) { s.mpe = static_cast<MpeZone>(m_mpe.getSelectedId() - 1); });
    };
    m_pickup.onClick = [this] { change([this](Settings& s) { s.pickup = m_pickup.getToggleState(); }); };
    m_programs.onClick = [this] { change([this](Settings& s) { s.program_change = m_programs.getToggleState(); }); };
    m_equal.onClick = [this] {
        change([](Settings& s) {
            s.scl.clear();
            s.kbm.clear();
            s.tuning_name.clear();
        });
    };
    m_scale.onClick = [this] {
        m_chooser = std::make_unique<juce::FileChooser>("A Scala scale, with a keyboard mapping if there is one",
                                                        juce::File(), "*.scl;*.kbm");
        m_chooser->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles |
                                   juce::FileBrowserComponent::canSelectMultipleItems,
                               [this](const juce::FileChooser& chooser) {
                                   std::string scl, kbm;
                                   for (const juce::File& file : chooser.getResults())
                                       (file.hasFileExtension("kbm") ? kbm : scl) =
                                           file.loadFileAsString().toStdString();
                                   if (scl.empty() && kbm.empty()) return;
                                   const Result<Tuning> tuning = Tuning::from_scala(scl, kbm);
                                   if (!tuning) {
                                       m_said = text_of(tuning.status().message());
                                       repaint();
                                       return;
                                   }
                                   change([&](Settings& s) {
                                       s.scl = scl;
                                       s.kbm = kbm;
                                       s.tuning_name = tuning->name().empty() ? "own tuning" : tuning->name();
                                   });
                               });
    };
    for (juce::Component* child : {static_cast<juce::Component*>(&m_mode), static_cast<juce::Component*>(&m_ahead),
                                   static_cast<juce::Component*>(&m_mpe), static_cast<juce::Component*>(&m_bend),
                                   static_cast<juce::Component*>(&m_pickup), static_cast<juce::Component*>(&m_programs),
                                   static_cast<juce::Component*>(&m_scale), static_cast<juce::Component*>(&m_equal)})
        addAndMakeVisible(child);
    reload();
}

void SettingsPage::change(const std::function<void(Settings&)>& edit) {
    Settings settings = m_processor.instance().settings();
    edit(settings);
    const Status status = m_processor.instance().set_settings(settings);
    m_said = status ? juce::String() : text_of(status.message());
    reload();
}

void SettingsPage::reload() {
    const Settings settings = m_processor.instance().settings();
    m_mode.setSelectedId(settings.mode == Mode::ahead ? 2 : 1, juce::dontSendNotification);
    m_ahead.setSelectedId(settings.look_ahead_blocks, juce::dontSendNotification);
    m_bend.setSelectedId(settings.mpe_bend_range, juce::dontSendNotification);
    m_mpe.setSelectedId(1 + static_cast<int>(settings.mpe), juce::dontSendNotification);
    m_pickup.setToggleState(settings.pickup, juce::dontSendNotification);
    m_programs.setToggleState(settings.program_change, juce::dontSendNotification);
    m_tuning =
        settings.tuning_name.empty() ? juce::String("twelve equal steps, A at 440 Hz") : text_of(settings.tuning_name);
    m_ahead.setEnabled(settings.mode == Mode::ahead);
    m_bend.setEnabled(settings.mpe != MpeZone::off);
    repaint();
}

void SettingsPage::resized() {
    int y = look::k_header + 14;
    const auto line = [&](juce::Component& component, int width) {
        component.setBounds(k_left, y, width, 26);
        y += k_line;
    };
    line(m_mode, 340);
    line(m_ahead, 150);
    y += 12;
    line(m_mpe, 340);
    line(m_bend, 150);
    line(m_pickup, 420);
    line(m_programs, 420);
    y += 12;
    y += k_line; // the tuning's name
    m_scale.setBounds(k_left, y, 170, 28);
    m_equal.setBounds(k_left + 180, y, 110, 28);
}

void SettingsPage::paint(juce::Graphics& g) {
    look::draw_panel(g, getLocalBounds(), "Settings of this instance, kept in the project");
    g.setFont(look::font(13.0f));
    g.setColour(look::k_quiet);
    const auto name = [&](const juce::String& words, int y) {
        g.drawText(words, 16, y, k_left - 26, 26, juce::Justification::centredRight, true);
    };
    name("Who renders", m_mode.getY());
    name("Look-ahead", m_ahead.getY());
    name("MPE bend range", m_bend.getY());
    name("MPE", m_mpe.getY());
    name("MIDI", m_pickup.getY());
    name("Tuning", m_scale.getY() - k_line);
    g.setColour(look::k_text);
    g.drawText(m_tuning, k_left, m_scale.getY() - k_line, getWidth() - k_left - 20, 26,
               juce::Justification::centredLeft, true);
    g.setColour(look::k_warn);
    g.drawFittedText(m_said, k_left, m_scale.getBottom() + 8, getWidth() - k_left - 20, 40,
                     juce::Justification::topLeft, 2);
    g.setColour(look::k_quiet);
    g.setFont(look::font());
    g.drawFittedText("Tutti " TUTTI_VERSION_TEXT
                     ". The engine is free under the MIT licence; this plugin, with JUCE, under the AGPL 3 or later.",
                     16, getHeight() - 34, getWidth() - 32, 24, juce::Justification::centredLeft, 1);
}

} // namespace tutti::plugin
