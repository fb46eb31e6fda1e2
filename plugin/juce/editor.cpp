// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/editor.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "plugin/juce/badge.h"
#include "plugin/juce/keys.h"
#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {

constexpr const char* k_page_names[] = {"Voice", "Effects", "Presets", "Worker", "Settings"};
constexpr int k_pages = 5;
constexpr int k_badge = 330;      // points of the status line, where there is something to say
constexpr int k_quiet_ticks = 60; // after which the pictures rest
// Between two pictures. A timer of 30 Hz gives 29: JUCE counts whole milliseconds, and what is late stays late. Ours is asked twice as
// often and keeps an appointment; 31.25 of them a second leave 30 where one is missed now and then.
constexpr double k_frame_milliseconds = 32.0;

// The editor's size and page, in the project's state.
juce::var read_state(const Instance& instance) {
    juce::var state;
    if (juce::JSON::parse(text_of(instance.editor_state()), state).failed() || !state.isObject())
        state = juce::var(new juce::DynamicObject());
    return state;
}

// The whole picture at 100 %; the editor scales it.
class Picture : public juce::Component, public juce::DragAndDropContainer {
public:
    explicit Picture(Processor& processor)
        : m_processor(processor), m_routes(processor), m_scope(processor), m_spectrum(processor), m_meters(processor),
          m_keys(processor) {
        setTitle("Tutti");
        processor.shared_library().refresh(); // in the background: the arrows beside the name want it, too
        m_routes.refresh();
        for (int i = 0; i < k_pages; ++i) {
            juce::TextButton& tab = m_tabs[static_cast<std::size_t>(i)];
            tab.setButtonText(k_page_names[i]);
            tab.setTitle(juce::String(k_page_names[i]) + " page");
            tab.setClickingTogglesState(true);
            tab.setRadioGroupId(1);
            tab.onClick = [this, i] { show(i); };
            addAndMakeVisible(tab);
        }
        button(m_before, "Previous preset", [this] { step(-1); });
        button(m_after, "Next preset", [this] { step(1); });
        button(m_name, "Preset", [this] { show(2); });
        button(m_save, "Save the preset as", [this] {
            show(2);
            dynamic_cast<PresetPage&>(shown()).save_as();
        });
        button(m_undo, "Undo", [this] { m_processor.instance().undo(); });
        button(m_redo, "Redo", [this] { m_processor.instance().redo(); });
        button(m_ab, "Compare two sounds", [this] { m_processor.instance().compare(); });
        button(m_copy, "Copy this sound to the other", [this] { m_processor.instance().copy_to_other(); });
        button(m_panic, "Every sound off", [this] { m_processor.instance().panic(); });
        for (int i = 0; i < k_macros; ++i) {
            m_macros.push_back(std::make_unique<Knob>(processor, m_routes, ParameterList::get().macro(i), true));
            addAndMakeVisible(*m_macros.back());
        }
        for (juce::Component* child :
             {static_cast<juce::Component*>(&m_scope), static_cast<juce::Component*>(&m_spectrum),
              static_cast<juce::Component*>(&m_meters), static_cast<juce::Component*>(&m_keys.component())})
            addAndMakeVisible(child);
        addChildComponent(m_badge);
        setSize(look::k_width, look::k_height);
        reload();
    }

    void show(int page) {
        m_page = juce::jlimit(0, k_pages - 1, page);
        // A page is made when it is first looked at: the window opens the sooner.
        if (std::unique_ptr<Page>& wanted = m_pages[static_cast<std::size_t>(m_page)]; wanted == nullptr) {
            wanted = make_page();
            addChildComponent(*wanted);
            wanted->setBounds(m_page_area);
        }
        for (int i = 0; i < k_pages; ++i) {
            if (Page* const other = m_pages[static_cast<std::size_t>(i)].get()) other->setVisible(i == m_page);
            m_tabs[static_cast<std::size_t>(i)].setToggleState(i == m_page, juce::dontSendNotification);
        }
        shown().reload();
        shown().refresh();
    }
    int page() const noexcept { return m_page; }
    juce::Component& keys() noexcept { return m_keys.component(); }

    void tick() {
        if (const int now = m_processor.generation(); now != m_generation) {
            m_generation = now;
            reload();
        }
        // Ten looks a second are enough while nothing sounds.
        if (m_quiet >= k_quiet_ticks && m_rest++ % 3 != 0) {
            m_quiet = m_processor.instance().stats().peak > 1e-6f ? 0 : m_quiet;
            return;
        }
        shown().refresh();
        for (const auto& macro : m_macros)
            macro->refresh();
        m_keys.refresh();
        // Nothing new to see while no sound is made: an idle editor costs next to nothing.
        const StreamStats stats = m_processor.instance().stats();
        const std::uint64_t frames = m_processor.instance().monitor().frames();
        const bool sounds = stats.peak > 1e-6f || m_quiet < k_quiet_ticks;
        m_quiet = stats.peak > 1e-6f ? 0 : m_quiet + 1;
        if (frames != m_frames && sounds) {
            m_scope.refresh();
            if (++m_turn % 2 == 0) m_spectrum.refresh();
            m_meters.refresh();
        }
        m_frames = frames;
        // Words change slower than pictures: five times a second, the preset's mark once.
        if (m_turn_slow % 6 == 0) status(stats);
        if (m_turn_slow++ % 30 == 0) names();
    }

    void reload() {
        m_routes.refresh();
        const Patch patch = m_processor.instance().patch();
        for (int i = 0; i < k_macros; ++i) {
            const auto found = patch.macros.find("macro" + std::to_string(i + 1));
            m_macros[static_cast<std::size_t>(i)]->setTitle(
                found != patch.macros.end() ? text_of(found->second) : "Macro " + juce::String(i + 1));
            m_macros[static_cast<std::size_t>(i)]->repaint();
        }
        if (m_pages[static_cast<std::size_t>(m_page)] != nullptr) shown().reload();
        names();
    }

    void paint(juce::Graphics& g) override {
        g.fillAll(look::k_ground);
        g.setColour(look::k_panel);
        g.fillRect(0, 0, getWidth(), look::k_top);
        g.setColour(look::k_accent);
        g.setFont(look::font(22.0f, true));
        g.drawText("tutti", 16, 0, 70, look::k_top - 2, juce::Justification::centredLeft, false);
        const juce::Rectangle<int> bar = getLocalBounds().removeFromBottom(look::k_status);
        g.setColour(look::k_panel);
        g.fillRect(bar);
        g.setFont(look::font(look::k_font_small + 0.5f));
        g.setColour(look::k_quiet);
        g.drawFittedText(m_status, bar.reduced(12, 0).withTrimmedRight(m_badge.isVisible() ? k_badge : 0),
                         juce::Justification::centredLeft, 1, 0.8f);
        look::draw_panel(g, m_side, "Output");
        look::draw_panel(g, m_macro_panel, "Macros");
    }

    void resized() override {
        juce::Rectangle<int> area = getLocalBounds();
        juce::Rectangle<int> top = area.removeFromTop(look::k_top).reduced(0, 10);
        top.removeFromLeft(84);
        for (juce::TextButton& tab : m_tabs) {
            tab.setBounds(top.removeFromLeft(70));
            top.removeFromLeft(4);
        }
        top.removeFromLeft(14);
        top.removeFromRight(10);
        for (const auto& [component, width] : {std::pair<juce::Component*, int>{&m_panic, 54},
                                               {nullptr, 10},
                                               {&m_copy, 48},
                                               {&m_ab, 42},
                                               {nullptr, 10},
                                               {&m_redo, 50},
                                               {&m_undo, 50},
                                               {nullptr, 10},
                                               {&m_save, 50},
                                               {&m_after, 26}}) {
            const juce::Rectangle<int> place = top.removeFromRight(width);
            if (component != nullptr) component->setBounds(place);
            top.removeFromRight(4);
        }
        m_before.setBounds(top.removeFromLeft(26));
        top.removeFromLeft(4);
        m_name.setBounds(top);
        m_badge.setBounds(
            area.removeFromBottom(look::k_status).removeFromRight(k_badge).withTrimmedRight(14).reduced(4, 3));
        const juce::Rectangle<int> keys =
            area.removeFromBottom(look::k_keyboard).reduced(look::k_gap, 0).withTrimmedBottom(4);
        const int whites = (Keys::k_highest_key - Keys::k_lowest_key) / 12 * 7 + 1;
        m_keys.component().setBounds(keys);
        m_keys.component().setKeyWidth(static_cast<float>(keys.getWidth()) / static_cast<float>(whites));
        area = area.reduced(look::k_gap, look::k_gap);
        juce::Rectangle<int> side = area.removeFromRight(look::k_side);
        area.removeFromRight(look::k_gap);
        m_page_area = area;
        for (const auto& page : m_pages)
            if (page != nullptr) page->setBounds(area);
        m_macro_panel = side.removeFromBottom(look::k_header + 2 * look::k_knob_height + 10);
        juce::Rectangle<int> knobs = m_macro_panel.withTrimmedTop(look::k_header + 4).reduced(6, 0);
        for (int i = 0; i < k_macros; ++i)
            m_macros[static_cast<std::size_t>(i)]->setBounds(knobs.getX() + i % 4 * knobs.getWidth() / 4,
                                                             knobs.getY() + i / 4 * look::k_knob_height,
                                                             knobs.getWidth() / 4, look::k_knob_height - 2);
        side.removeFromBottom(look::k_gap);
        m_side = side;
        juce::Rectangle<int> inside = side.reduced(8).withTrimmedTop(look::k_header - 4);
        m_meters.setBounds(inside.removeFromBottom(40));
        inside.removeFromBottom(6);
        m_scope.setBounds(inside.removeFromTop(inside.getHeight() / 2 - 3));
        inside.removeFromTop(6);
        m_spectrum.setBounds(inside);
    }

    // Ctrl or command: Z undoes, shift-Z and Y redo. With a computer keyboard's letters the keys component plays.
    bool keyPressed(const juce::KeyPress& key) override {
        const juce::ModifierKeys mods = key.getModifiers();
        if (!mods.isCommandDown()) return key == juce::KeyPress::escapeKey && (m_processor.instance().panic(), true);
        const auto letter = juce::CharacterFunctions::toLowerCase(static_cast<juce::juce_wchar>(key.getKeyCode()));
        if (letter == 'z') return mods.isShiftDown() ? m_processor.instance().redo() : m_processor.instance().undo();
        if (letter == 'y') return m_processor.instance().redo();
        if (letter == 'f') {
            show(2);
            return true;
        }
        return false;
    }

private:
    // What was made by a job, or lies on a pad, is a file outside the window.
    bool shouldDropFilesWhenDraggedExternally(const juce::DragAndDropTarget::SourceDetails& details,
                                              juce::StringArray& files, bool& move) override {
        const auto* const source = dynamic_cast<const MadeSource*>(details.sourceComponent.get());
        const MadePointer made = source != nullptr ? source->made() : nullptr;
        if (made == nullptr || !made->file.existsAsFile()) return false;
        files.add(made->file.getFullPathName());
        move = false;
        return true;
    }

    void button(juce::TextButton& item, const char* title, std::function<void()> click) {
        item.setTitle(title);
        item.setTooltip(title);
        item.onClick = std::move(click);
        addAndMakeVisible(item);
    }

    Page& shown() { return *m_pages[static_cast<std::size_t>(m_page)]; }
    std::unique_ptr<Page> make_page() {
        switch (m_page) {
        case 0:
            return std::make_unique<VoicePage>(m_processor, m_routes);
        case 1:
            return std::make_unique<EffectsPage>(m_processor, m_routes);
        case 2:
            return std::make_unique<PresetPage>(m_processor);
        case 3:
            return std::make_unique<WorkerPage>(m_processor);
        default:
            return std::make_unique<SettingsPage>(m_processor);
        }
    }

    void step(int by) {
        const int place = m_processor.library().neighbour(m_processor.instance().preset(), by);
        if (place < 0) return;
        const auto list = m_processor.library().list();
        const std::string id = (*list)[static_cast<std::size_t>(place)].id;
        if (const Result<Patch> patch = m_processor.library().load(id))
            (void)m_processor.instance().load_preset(*patch, id); // a broken file of the user's: the sound stays
    }

    void names() {
        const Patch patch = m_processor.instance().patch();
        m_name.setButtonText(text_of(patch.name) + (m_processor.instance().dirty() ? " *" : ""));
        const std::string undo = m_processor.instance().undo_name(), redo = m_processor.instance().redo_name();
        m_undo.setEnabled(!undo.empty());
        m_redo.setEnabled(!redo.empty());
        m_undo.setTooltip(undo.empty() ? juce::String("Nothing to undo") : "Undo: " + text_of(undo));
        m_redo.setTooltip(redo.empty() ? juce::String("Nothing to redo") : "Redo: " + text_of(redo));
        m_ab.setButtonText(m_processor.instance().at_b() ? "B" : "A");
        m_ab.setToggleState(m_processor.instance().at_b(), juce::dontSendNotification);
    }

    void status(const StreamStats& stats) {
        const EngineStats engine = m_processor.engine_stats();
        const double rate = m_processor.instance().sample_rate();
        const int latency = m_processor.instance().latency_frames();
        juce::String words = m_processor.problem();
        if (words.isEmpty()) words = text_of(m_processor.instance().missing());
        if (words.isEmpty() && rate <= 0.0)
            words =
                m_processor.wrapperType == juce::AudioProcessor::wrapperType_Standalone
                    ? "No audio device is open, so nothing can be heard: choose one under Options, Audio/MIDI Settings."
                    : "The host has not started the sound yet.";
        if (words.isEmpty()) {
            words << stats.voices << (stats.voices == 1 ? " voice" : " voices") << "    load "
                  << juce::roundToInt(100.0 * m_processor.load()) << " %"
                  << "    " << engine.backend << "    latency " << latency << " frames ("
                  << juce::String(1000.0 * latency / rate, 1) << " ms)    " << juce::String(rate / 1000.0, 1) << " kHz";
            if (engine.streams > 1) words << "    " << engine.streams << " instances share the engine";
            if (m_processor.instance().mpe()) words << "    MPE";
            if (stats.late_blocks > 0) words << "    " << stats.late_blocks << " late blocks";
        }
        const bool badge = m_badge.isVisible();
        m_badge.say(juce::String::fromUTF8(engine.fallback));
        if (words == m_status && badge == m_badge.isVisible()) return;
        m_status = words;
        repaint(getLocalBounds().removeFromBottom(look::k_status));
    }

    Processor& m_processor;
    Routes m_routes;
    std::array<std::unique_ptr<Page>, k_pages> m_pages;
    std::array<juce::TextButton, k_pages> m_tabs;
    juce::TextButton m_before{"<"}, m_after{">"}, m_name, m_save{"Save"}, m_undo{"Undo"}, m_redo{"Redo"}, m_ab{"A"},
        m_copy{"Copy"}, m_panic{"Panic"};
    Scope m_scope;
    Spectrum m_spectrum;
    Meters m_meters;
    Keys m_keys;
    std::vector<std::unique_ptr<Knob>> m_macros;
    juce::Rectangle<int> m_side, m_macro_panel, m_page_area;
    juce::String m_status;
    Badge m_badge;
    std::uint64_t m_frames = 0;
    int m_page = 0;
    int m_generation = -1;
    int m_turn = 0;
    int m_turn_slow = 0;
    int m_quiet = 0;
    int m_rest = 0;
};

class Editor : public juce::AudioProcessorEditor, public juce::Timer {
public:
    explicit Editor(Processor& processor)
        : AudioProcessorEditor(processor), m_processor(processor), m_picture(processor), m_tips(this, 600) {
        setLookAndFeel(&m_look);
        setOpaque(true);
        addAndMakeVisible(m_picture);
        setResizable(true, true);
        setResizeLimits(
            juce::roundToInt(look::k_width * look::k_smallest), juce::roundToInt(look::k_height * look::k_smallest),
            juce::roundToInt(look::k_width * look::k_largest), juce::roundToInt(look::k_height * look::k_largest));
        getConstrainer()->setFixedAspectRatio(static_cast<double>(look::k_width) / look::k_height);
        const juce::var state = read_state(processor.instance());
        const double scale = juce::jlimit(static_cast<double>(look::k_smallest), static_cast<double>(look::k_largest),
                                          static_cast<double>(state.getProperty("scale", 1.0)));
        m_picture.show(static_cast<int>(state.getProperty("page", 0)));
        setSize(juce::roundToInt(look::k_width * scale), juce::roundToInt(look::k_height * scale));
        m_ready = true;
        processor.instance().monitor().watch(true);
        startTimerHz(60);
    }
    ~Editor() override {
        stopTimer();
        m_processor.instance().monitor().watch(false);
        keep();
        setLookAndFeel(nullptr);
    }
    void paint(juce::Graphics& g) override { g.fillAll(look::k_ground); }
    void resized() override {
        m_picture.setTransform(
            juce::AffineTransform::scale(static_cast<float>(getWidth()) / static_cast<float>(look::k_width)));
        if (m_ready) keep();
    }
    bool keyPressed(const juce::KeyPress& key) override { return m_picture.keyPressed(key); }
    // The computer keyboard plays, whichever knob has the focus.
    bool keyStateChanged(bool down) override { return m_picture.keys().keyStateChanged(down); }

private:
    void keep() {
        const juce::var state = read_state(m_processor.instance());
        state.getDynamicObject()->setProperty("scale", std::round(1000.0 * getWidth() / look::k_width) / 1000.0);
        state.getDynamicObject()->setProperty("page", m_picture.page());
        m_processor.instance().set_editor_state(juce::JSON::toString(state, true).toStdString());
    }
    void timerCallback() override {
        const double now = juce::Time::getMillisecondCounterHiRes();
        if (now < m_due) return;
        m_due = std::max(m_due + k_frame_milliseconds, now - k_frame_milliseconds); // one that is owed, no more
        m_picture.tick();
    }

    look::LookAndFeel m_look;
    Processor& m_processor;
    Picture m_picture;
    juce::TooltipWindow m_tips;
    double m_due = 0.0; // the next picture, milliseconds
    bool m_ready = false;
};

} // namespace

juce::AudioProcessorEditor* make_editor(Processor& processor) {
    return new Editor(processor);
}

} // namespace tutti::plugin
