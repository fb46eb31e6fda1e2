// SPDX-License-Identifier: AGPL-3.0-or-later
// The pages of the editor: the voice, the effects and how it is played, presets, jobs, settings.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugin/juce/controls.h"
#include "plugin/juce/pads.h"
#include "plugin/juce/pictures.h"

namespace tutti::plugin {

// What every page can do; all on the message thread.
class Page : public juce::Component {
public:
    virtual void refresh() = 0; // 30 times a second while it is shown: values, curves
    virtual void reload() = 0;  // another sound came
};

// Every parameter of the patch's voice type, in panels of its groups, with the curves that fit; and the sources to drag.
class VoicePage : public Page {
public:
    VoicePage(Processor& processor, Routes& routes);
    ~VoicePage() override;
    void refresh() override;
    void reload() override;
    void resized() override;
    void paint(juce::Graphics& g) override;

private:
    struct Panel;
    void build();
    void lay_out();
    Processor& m_processor;
    Routes& m_routes;
    std::string m_voice;
    juce::Viewport m_viewport;
    juce::Component m_content;
    std::vector<std::unique_ptr<Panel>> m_panels;
    std::vector<std::unique_ptr<SourceChip>> m_chips;
};

// The effects of the patch in their order: drag a card by its name to move it; and how the patch is played.
class EffectsPage : public Page, private juce::DragAndDropTarget {
public:
    EffectsPage(Processor& processor, Routes& routes);
    ~EffectsPage() override;
    void refresh() override;
    void reload() override;
    void resized() override;
    void paint(juce::Graphics& g) override;

private:
    struct Card;
    struct Play;
    bool isInterestedInDragSource(const SourceDetails& details) override;
    void itemDropped(const SourceDetails& details) override;
    void add();
    void move(int from, int to);
    void edit(const std::function<void(Patch&)>& change, const juce::String& step);

    Processor& m_processor;
    Routes& m_routes;
    juce::TextButton m_add{"Add effect"};
    juce::Viewport m_viewport;
    juce::Component m_content;
    std::vector<std::unique_ptr<Card>> m_cards;
    std::unique_ptr<Play> m_play;
};

class PresetPage : public Page, private juce::ListBoxModel, public juce::FileDragAndDropTarget {
public:
    explicit PresetPage(Processor& processor);
    ~PresetPage() override;
    void refresh() override;
    void reload() override;
    void resized() override;
    void paint(juce::Graphics& g) override;
    void save_as(); // asks for a name
    bool isInterestedInFileDrag(const juce::StringArray& files) override;
    void filesDropped(const juce::StringArray& files, int x, int y) override;

private:
    int getNumRows() override { return static_cast<int>(m_found.size()); }
    void paintListBoxItem(int row, juce::Graphics& g, int width, int height, bool selected) override;
    void listBoxItemClicked(int row, const juce::MouseEvent& event) override;
    void returnKeyPressed(int row) override { load(row); }
    void selectedRowsChanged(int row) override;
    juce::var getDragSourceDescription(const juce::SparseSet<int>& rows) override;
    juce::String getNameForRow(int row) override;
    const Preset* preset(int row) const;
    void search();
    void load(int row);
    void tell(const Status& status, const juce::String& good);

    Processor& m_processor;
    std::shared_ptr<const PresetLibrary::List> m_list;
    std::vector<int> m_found;
    juce::TextEditor m_text;
    juce::ComboBox m_category;
    juce::TextButton m_favourites{"Favourites"}, m_user{"Mine"}, m_import{"Import..."}, m_export{"Export..."},
        m_save{"Save as..."}, m_remove{"Remove"}, m_star{"Favourite"};
    juce::ListBox m_box{"Presets", this};
    juce::String m_said;
    std::unique_ptr<juce::FileChooser> m_chooser;
    std::unique_ptr<juce::AlertWindow> m_asking;
};

// Jobs beside the audio: a phrase of chords made into sound with the present patch; what is made is played, kept on a pad or dragged away.
class WorkerPage : public Page {
public:
    explicit WorkerPage(Processor& processor);
    ~WorkerPage() override;
    void refresh() override;
    void reload() override {}
    void resized() override;
    void paint(juce::Graphics& g) override;

private:
    struct Row;
    void begin();
    Processor& m_processor;
    Pads m_pads;
    juce::TextEditor m_phrase, m_tempo;
    juce::TextButton m_render{"Render"};
    juce::Viewport m_viewport;
    juce::Component m_content;
    std::vector<std::unique_ptr<Row>> m_rows;
    juce::String m_said;
};

class SettingsPage : public Page {
public:
    explicit SettingsPage(Processor& processor);
    void refresh() override {}
    void reload() override;
    void resized() override;
    void paint(juce::Graphics& g) override;

private:
    void change(const std::function<void(Settings&)>& edit);
    Processor& m_processor;
    juce::ComboBox m_mode, m_ahead, m_mpe, m_bend;
    juce::ToggleButton m_pickup{"Controllers wait until they meet the value"},
        m_programs{"Program changes load factory presets"};
    juce::TextButton m_scale{"Load a Scala tuning..."}, m_equal{"Equal steps"};
    juce::String m_tuning, m_said;
    std::unique_ptr<juce::FileChooser> m_chooser;
};

} // namespace tutti::plugin
