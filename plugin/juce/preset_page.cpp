// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>

#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {

constexpr int k_details = 268;
constexpr int k_row = 26;

std::filesystem::path path_of(const juce::File& file) {
    return std::filesystem::path(file.getFullPathName().toStdString());
}

} // namespace

PresetPage::PresetPage(Processor& processor) : m_processor(processor) {
    m_text.setTextToShowWhenEmpty("Search name, tag, author", look::k_quiet);
    setTitle("Presets");
    m_text.setTitle("Search presets");
    m_text.setJustification(juce::Justification::centredLeft);
    m_text.setFont(look::font(13.5f));
    m_text.onTextChange = [this] { search(); };
    m_category.setTitle("Category");
    m_category.onChange = [this] { search(); };
    m_favourites.setClickingTogglesState(true);
    m_user.setClickingTogglesState(true);
    m_favourites.onClick = m_user.onClick = [this] { search(); };
    m_box.setRowHeight(k_row);
    m_box.setTitle("Presets");
    m_import.onClick = [this] {
        m_chooser = std::make_unique<juce::FileChooser>("Import a preset", juce::File(), "*.json");
        m_chooser->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                               [this](const juce::FileChooser& chooser) {
                                   if (chooser.getResult() != juce::File())
                                       filesDropped({chooser.getResult().getFullPathName()}, 0, 0);
                               });
    };
    m_export.onClick = [this] {
        const Preset* const chosen = preset(m_box.getSelectedRow());
        if (chosen == nullptr) return;
        const std::string id = chosen->id;
        m_chooser = std::make_unique<juce::FileChooser>("Export the preset",
                                                        juce::File(text_of(chosen->name) + ".json"), "*.json");
        m_chooser->launchAsync(juce::FileBrowserComponent::saveMode | juce::FileBrowserComponent::warnAboutOverwriting,
                               [this, id](const juce::FileChooser& chooser) {
                                   if (chooser.getResult() == juce::File()) return;
                                   tell(m_processor.library().export_file(id, path_of(chooser.getResult())),
                                        "Exported.");
                               });
    };
    m_save.onClick = [this] { save_as(); };
    m_remove.onClick = [this] {
        if (const Preset* const chosen = preset(m_box.getSelectedRow())) {
            tell(m_processor.library().remove(chosen->id), "Removed.");
            search();
        }
    };
    m_star.onClick = [this] {
        const int row = m_box.getSelectedRow();
        if (const Preset* const chosen = preset(row)) {
            tell(m_processor.library().set_favourite(chosen->id, !chosen->favourite), {});
            search();
            m_box.selectRow(row);
        }
    };
    for (juce::Component* child : {static_cast<juce::Component*>(&m_text), static_cast<juce::Component*>(&m_category),
                                   static_cast<juce::Component*>(&m_favourites), static_cast<juce::Component*>(&m_user),
                                   static_cast<juce::Component*>(&m_box), static_cast<juce::Component*>(&m_star),
                                   static_cast<juce::Component*>(&m_save), static_cast<juce::Component*>(&m_import),
                                   static_cast<juce::Component*>(&m_export), static_cast<juce::Component*>(&m_remove)})
        addAndMakeVisible(child);
    reload();
}

PresetPage::~PresetPage() {
    if (m_asking != nullptr) m_asking->exitModalState(0);
}

const Preset* PresetPage::preset(int row) const {
    if (m_list == nullptr || row < 0 || row >= static_cast<int>(m_found.size())) return nullptr;
    return &(*m_list)[static_cast<std::size_t>(m_found[static_cast<std::size_t>(row)])];
}

void PresetPage::search() {
    PresetQuery query;
    query.text = m_text.getText().toStdString();
    query.category = m_category.getSelectedId() > 1 ? m_category.getText().toStdString() : std::string();
    query.favourites = m_favourites.getToggleState();
    query.user = m_user.getToggleState();
    m_list = m_processor.library().list();
    m_found = m_processor.library().search(query);
    m_box.updateContent();
    const std::string now = m_processor.instance().preset();
    for (std::size_t i = 0; i < m_found.size(); ++i)
        if (const Preset* const row = preset(static_cast<int>(i)); row != nullptr && row->id == now)
            m_box.selectRow(static_cast<int>(i), false, true);
    repaint();
    m_box.repaint();
}

void PresetPage::reload() {
    const juce::String chosen = m_category.getText();
    m_category.clear(juce::dontSendNotification);
    m_category.addItem("Every category", 1);
    int id = 2, select = 1;
    for (const std::string& name : m_processor.library().categories()) {
        if (text_of(name) == chosen) select = id;
        m_category.addItem(text_of(name), id++);
    }
    m_category.setSelectedId(select, juce::dontSendNotification);
    search();
}

void PresetPage::refresh() {
    // The reader has ended, or somebody saved one.
    if (m_processor.library().list() != m_list) reload();
}

void PresetPage::paintListBoxItem(int row, juce::Graphics& g, int width, int height, bool selected) {
    const Preset* const item = preset(row);
    if (item == nullptr) return;
    if (selected) {
        g.setColour(look::k_accent_dark);
        g.fillRect(0, 0, width, height);
    }
    juce::Path star;
    star.addStar({14.0f, static_cast<float>(height) * 0.5f}, 5, 3.0f, 6.5f);
    g.setColour(item->favourite ? look::k_accent : look::k_faint);
    if (item->favourite)
        g.fillPath(star);
    else
        g.strokePath(star, juce::PathStrokeType(1.0f));
    g.setFont(look::font(13.5f));
    g.setColour(look::k_text);
    g.drawText(text_of(item->name), 30, 0, 210, height, juce::Justification::centredLeft, true);
    g.setFont(look::font());
    g.setColour(look::k_quiet);
    g.drawText(text_of(item->category), 246, 0, 100, height, juce::Justification::centredLeft, true);
    juce::StringArray tags;
    for (const std::string& tag : item->tags)
        tags.add(text_of(tag));
    g.drawText(tags.joinIntoString(", "), 350, 0, width - 350 - 60, height, juce::Justification::centredLeft, true);
    if (!item->factory()) g.drawText("mine", width - 54, 0, 46, height, juce::Justification::centredRight, false);
}

juce::String PresetPage::getNameForRow(int row) {
    const Preset* const item = preset(row);
    return item != nullptr ? text_of(item->name) : juce::String();
}

void PresetPage::listBoxItemClicked(int row, const juce::MouseEvent& event) {
    const Preset* const item = preset(row);
    if (item == nullptr) return;
    if (event.getEventRelativeTo(&m_box).x < 26) {
        tell(m_processor.library().set_favourite(item->id, !item->favourite), {});
        search();
    } else {
        load(row);
    }
}

void PresetPage::selectedRowsChanged(int) {
    repaint();
}

void PresetPage::load(int row) {
    const Preset* const item = preset(row);
    if (item == nullptr) return;
    const std::string id = item->id;
    const Result<Patch> patch = m_processor.library().load(id);
    tell(patch ? m_processor.instance().load_preset(*patch, id) : patch.status(), {});
}

juce::var PresetPage::getDragSourceDescription(const juce::SparseSet<int>& rows) {
    const Preset* const item = rows.isEmpty() ? nullptr : preset(rows[0]);
    if (item == nullptr) return {};
    // Dragged out of the window it is a file.
    const juce::File file = juce::File::getSpecialLocation(juce::File::tempDirectory)
                                .getChildFile(juce::File::createLegalFileName(text_of(item->name)) + ".json");
    if (!m_processor.library().export_file(item->id, path_of(file))) return {};
    juce::DragAndDropContainer::performExternalDragDropOfFiles({file.getFullPathName()}, false, this);
    return {};
}

bool PresetPage::isInterestedInFileDrag(const juce::StringArray& files) {
    return std::any_of(files.begin(), files.end(),
                       [](const juce::String& file) { return file.endsWithIgnoreCase(".json"); });
}

void PresetPage::filesDropped(const juce::StringArray& files, int, int) {
    int taken = 0;
    for (const juce::String& file : files) {
        const Result<std::string> id = m_processor.library().import_file(std::filesystem::path(file.toStdString()));
        if (id)
            ++taken;
        else
            tell(id.status(), {});
    }
    if (taken > 0) tell({}, juce::String(taken) + (taken == 1 ? " preset imported." : " presets imported."));
    reload();
}

void PresetPage::save_as() {
    m_asking =
        std::make_unique<juce::AlertWindow>("Save the preset", "Its name:", juce::MessageBoxIconType::NoIcon, this);
    m_asking->addTextEditor("name", text_of(m_processor.instance().patch().name));
    m_asking->addButton("Save", 1, juce::KeyPress(juce::KeyPress::returnKey));
    m_asking->addButton("Cancel", 0, juce::KeyPress(juce::KeyPress::escapeKey));
    m_asking->enterModalState(
        true, juce::ModalCallbackFunction::create([safe = juce::Component::SafePointer<PresetPage>(this)](int answer) {
            if (safe == nullptr) return;
            const juce::String name = safe->m_asking->getTextEditorContents("name").trim();
            safe->m_asking->setVisible(false);
            if (answer != 1 || name.isEmpty()) return;
            Patch patch = safe->m_processor.instance().patch();
            patch.name = name.toStdString();
            const Result<std::string> id = safe->m_processor.library().save(patch);
            if (id && safe->m_processor.instance().edit_patch(patch, "Rename"))
                safe->m_processor.instance().mark_saved(*id);
            safe->tell(id ? Status() : id.status(), "Saved.");
            safe->reload();
        }),
        false);
}

void PresetPage::tell(const Status& status, const juce::String& good) {
    m_said = status ? good : text_of(status.message());
    repaint();
}

void PresetPage::resized() {
    juce::Rectangle<int> area = getLocalBounds();
    juce::Rectangle<int> side = area.removeFromRight(k_details).reduced(12, 0);
    area.removeFromRight(look::k_gap);
    juce::Rectangle<int> top = area.removeFromTop(28);
    m_user.setBounds(top.removeFromRight(64));
    top.removeFromRight(6);
    m_favourites.setBounds(top.removeFromRight(92));
    top.removeFromRight(6);
    m_category.setBounds(top.removeFromRight(140));
    top.removeFromRight(6);
    m_text.setBounds(top);
    area.removeFromTop(look::k_gap);
    m_box.setBounds(area);
    side.removeFromBottom(12);
    for (juce::TextButton* button : {&m_remove, &m_export, &m_import, &m_save, &m_star}) {
        button->setBounds(side.removeFromBottom(28));
        side.removeFromBottom(6);
    }
}

void PresetPage::paint(juce::Graphics& g) {
    juce::Rectangle<int> side = getLocalBounds().removeFromRight(k_details);
    look::draw_panel(g, side, "Preset");
    side = side.reduced(14, 0).withTrimmedTop(look::k_header + 10);
    const auto line = [&](const juce::String& words, float size, juce::Colour colour, int height) {
        g.setFont(look::font(size));
        g.setColour(colour);
        g.drawFittedText(words, side.removeFromTop(height), juce::Justification::topLeft, std::max(1, height / 16),
                         0.85f);
    };
    if (const Preset* const item = preset(m_box.getSelectedRow())) {
        line(text_of(item->name), look::k_font_title, look::k_text, 24);
        line(text_of(item->category) + (item->factory() ? " - factory" : " - mine"), look::k_font, look::k_quiet, 20);
        line(item->author.empty() ? juce::String() : "by " + text_of(item->author), look::k_font, look::k_quiet, 20);
        juce::StringArray tags;
        for (const std::string& tag : item->tags)
            tags.add(text_of(tag));
        line(tags.joinIntoString(", "), look::k_font, look::k_text, 50);
    } else {
        line(m_processor.shared_library().busy() ? "Reading the presets..." : "Choose a preset; a click loads it.",
             look::k_font, look::k_quiet, 40);
    }
    line(juce::String(static_cast<int>(m_found.size())) + " found", look::k_font, look::k_quiet, 22);
    line(m_said, look::k_font, look::k_accent, 96);
}

} // namespace tutti::plugin
