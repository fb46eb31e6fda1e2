// SPDX-License-Identifier: AGPL-3.0-or-later
// The editor on a screen: a picture of each page at 1x and 2x, while a chord sounds; nothing may lie outside its parent or over its
// neighbour, and everything that the keyboard reaches has a name.
//
//   tutti_plugin_pictures FOLDER             writes the pictures and checks
//   tutti_plugin_pictures --figures          measures: the editor idle, playing, the longest time the message thread was held
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include <dlfcn.h>

#include <juce_audio_utils/juce_audio_utils.h>

#include "plugin/juce/processor.h"

using namespace tutti;
using namespace tutti::plugin;

namespace {

int faults = 0;

void fault(const juce::String& what) {
    std::printf("FAULT: %s\n", what.toRawUTF8());
    ++faults;
}

juce::String path_of(const juce::Component& component) {
    juce::String path;
    for (const juce::Component* at = &component; at != nullptr; at = at->getParentComponent()) {
        const juce::String name = at->getTitle().isNotEmpty() ? at->getTitle() : at->getName();
        if (name.isNotEmpty()) path = name + (path.isEmpty() ? "" : " < ") + path;
    }
    return path;
}

// A scrolled page and a list lay out more than they show.
bool scrolls(const juce::Component& component) {
    return dynamic_cast<const juce::Viewport*>(&component) != nullptr ||
           dynamic_cast<const juce::ListBox*>(&component) != nullptr ||
           dynamic_cast<const juce::KeyboardComponentBase*>(&component) != nullptr ||
           dynamic_cast<const juce::TextEditor*>(&component) != nullptr ||
           dynamic_cast<const juce::Slider*>(&component) != nullptr ||
           dynamic_cast<const juce::ComboBox*>(&component) != nullptr;
}

// Returns how many components it has looked at.
int look_at(juce::Component& parent, bool quiet, int& found) {
    int count = 0;
    // What is scrolled is larger than what shows it.
    const bool free = scrolls(parent) || dynamic_cast<juce::Viewport*>(parent.getParentComponent()) != nullptr;
    for (int i = 0; i < parent.getNumChildComponents(); ++i) {
        juce::Component& child = *parent.getChildComponent(i);
        if (!child.isVisible() || child.getWidth() == 0 || child.getHeight() == 0) continue;
        if (dynamic_cast<juce::ResizableCornerComponent*>(&child) != nullptr ||
            dynamic_cast<juce::TooltipWindow*>(&child) != nullptr)
            continue;
        ++count;
        if (child.getTransform().isIdentity() && !free && !parent.getLocalBounds().contains(child.getBounds())) {
            ++found;
            if (!quiet) fault(path_of(child) + " reaches out of its parent: " + child.getBounds().toString());
        }
        if (child.getWantsKeyboardFocus() && child.getTitle().isEmpty() && child.getName().isEmpty() &&
            !scrolls(parent)) {
            ++found;
            if (!quiet) fault("no name for what the keyboard reaches in " + path_of(parent));
        }
        for (int j = 0; j < i && !scrolls(parent); ++j) {
            juce::Component& other = *parent.getChildComponent(j);
            if (!other.isVisible() || other.getWidth() == 0 ||
                dynamic_cast<juce::ResizableCornerComponent*>(&other) != nullptr)
                continue;
            if (child.getBounds().intersects(other.getBounds())) {
                ++found;
                if (!quiet) fault(path_of(child) + " lies over " + path_of(other));
            }
        }
        if (!scrolls(child) || dynamic_cast<juce::Viewport*>(&child) != nullptr) count += look_at(child, quiet, found);
    }
    return count;
}

void write(juce::Component& component, float scale, const juce::File& file) {
    const juce::Image image = component.createComponentSnapshot(component.getLocalBounds(), true, scale);
    juce::PNGImageFormat png;
    file.deleteFile();
    juce::FileOutputStream stream(file);
    if (!stream.openedOk() || !png.writeImageToStream(image, stream)) fault("cannot write " + file.getFullPathName());
    // Something is drawn: more than a few colours.
    std::vector<juce::uint32> seen;
    for (int x = 3; x < image.getWidth(); x += 17)
        for (int y = 3; y < image.getHeight(); y += 13) {
            const juce::uint32 colour = image.getPixelAt(x, y).getARGB();
            if (std::find(seen.begin(), seen.end(), colour) == seen.end()) seen.push_back(colour);
        }
    if (seen.size() < 12) fault(file.getFileName() + " shows next to nothing");
}

// Everything that the tabulator reaches, once, and from above downwards among neighbours. Returns how many.
int follow_tabs(juce::Component& editor, const std::vector<juce::Component*>& order, bool quiet, int& found) {
    std::vector<juce::Component*> wanted;
    const std::function<void(juce::Component&)> collect = [&](juce::Component& parent) {
        for (juce::Component* const child : parent.getChildren()) {
            if (!child->isVisible() || !child->isEnabled()) continue;
            if (child->getWantsKeyboardFocus()) wanted.push_back(child);
            collect(*child);
        }
    };
    collect(editor);
    const auto wrong = [&](const juce::String& what) {
        ++found;
        if (!quiet) fault(what);
    };
    for (juce::Component* const component : wanted)
        if (const auto times = std::count(order.begin(), order.end(), component); times != 1)
            wrong("the tabulator reaches " + path_of(*component) + " " + juce::String(static_cast<int>(times)) +
                  " times");
    for (std::size_t i = 1; i < order.size(); ++i)
        if (order[i]->getParentComponent() == order[i - 1]->getParentComponent() &&
            order[i]->getBottom() <= order[i - 1]->getY())
            wrong("the tabulator goes up from " + path_of(*order[i - 1]) + " to " + path_of(*order[i]));
    return static_cast<int>(order.size());
}

juce::Component* titled(juce::Component& parent, const juce::String& title) {
    for (juce::Component* const child : parent.getChildren()) {
        if (child->isVisible() && child->getTitle() == title) return child;
        if (juce::Component* const inside = titled(*child, title)) return inside;
    }
    return nullptr;
}

// An instance whose engine says that a device was lost.
class Fallen final : public Processor {
public:
    Fallen() = default;

    EngineStats engine_stats() const override {
        EngineStats stats = Processor::engine_stats();
        if (lost) stats.fallback = k_words;
        return stats;
    }
    static constexpr const char* k_words = "the GPU was lost: the CPU renders";
    bool lost = false;
};

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A chord with what a host would do, as many blocks as the time that has passed.
class Host {
public:
    explicit Host(Processor& processor) : m_processor(processor) {
        processor.setRateAndBufferSizeDetails(48000.0, 480);
        processor.prepareToPlay(48000.0, 480);
    }
    void chord(bool on) {
        for (const int key : {48, 55, 60, 64, 67})
            m_midi.addEvent(on ? juce::MidiMessage::noteOn(1, key, 0.7f) : juce::MidiMessage::noteOff(1, key), 0);
    }
    void run(int blocks) {
        for (int i = 0; i < blocks; ++i) {
            juce::AudioBuffer<float> buffer(2, 480);
            m_processor.processBlock(buffer, m_midi);
            m_midi.clear();
        }
    }

private:
    Processor& m_processor;
    juce::MidiBuffer m_midi;
};

double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Counts how often what lies under it is drawn.
struct Frames : juce::Component {
    Frames() { setInterceptsMouseClicks(false, false); }
    void paint(juce::Graphics&) override { ++count; }
    int count = 0;
};

std::unique_ptr<juce::AudioProcessorEditor> open(Processor& processor, int page, double scale, bool window = false) {
    processor.instance().set_editor_state("{\"page\":" + std::to_string(page) + ",\"scale\":" + std::to_string(scale) +
                                          "}");
    std::unique_ptr<juce::AudioProcessorEditor> editor(processor.createEditorIfNeeded());
    if (window) editor->addToDesktop(juce::ComponentPeer::windowAppearsOnTaskbar);
    editor->setVisible(true);
    return editor;
}

// Five seconds without the editor (the probe alone), five idle with it, five while a chord sounds. Between two messages of a timer of
// 5 ms lies what held the message thread.
struct Measure : juce::Timer {
    Measure(Processor& processor_in, Host& host_in) : processor(processor_in), host(host_in) { startTimer(5); }
    void timerCallback() override {
        const double at = now();
        if (begin == 0.0) {
            begin = last = at;
            spent = processor_seconds();
        }
        double& held = phase == 1 && at - begin < 1.0 ? first : later;
        held = std::max(held, at - last);
        last = at;
        if (phase == 2) {
            const int due = static_cast<int>((at - begin) * 100.0) - blocks;
            const double from = processor_seconds();
            host.run(std::max(0, due));
            audio += processor_seconds() - from;
            blocks += std::max(0, due);
        }
        if (at - begin < 5.0) return;
        const double share = 100.0 * (processor_seconds() - spent - audio) / (at - begin);
        if (phase == 0) {
            alone = share;
            const double before = now();
            editor = open(processor, 0, 1.0, true);
            std::printf("editor opened in %.0f ms\n", 1000.0 * (now() - before));
            frames.setBounds(editor->getWidth() - 200, 90, 150, 60); // over the scope
            editor->addAndMakeVisible(frames);
        } else if (phase == 1) {
            std::printf("editor idle: %.2f %% of a core (bar: 2 %%), beside %.2f %% of the program without it\n",
                        share - alone, alone);
            host.chord(true);
            frames.count = 0;
        } else {
            std::printf("playing: %.1f frames a second (bar: 30), editor and screen library %.1f %% of a core\n",
                        frames.count / (at - begin), share - alone);
            std::printf(
                "longest time that the message thread was held (bar: 50 ms): %.0f ms in the first second of the "
                "window, with its first drawing; %.0f ms later\n",
                1000.0 * first, 1000.0 * later);
            stopTimer();
            juce::MessageManager::getInstance()->stopDispatchLoop();
        }
        ++phase;
        begin = 0.0;
        audio = 0.0;
        blocks = 0;
    }
    Processor& processor;
    Host& host;
    Frames frames;
    std::unique_ptr<juce::AudioProcessorEditor> editor;
    double begin = 0.0, last = 0.0, first = 0.0, later = 0.0, spent = 0.0, audio = 0.0, alone = 0.0;
    int blocks = 0, phase = 0;
};

} // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fputs("usage: tutti_plugin_pictures FOLDER | --figures\n", stderr);
        return 64;
    }
    const juce::ScopedJuceInitialiser_GUI gui;
    // A screen without a window manager lacks atoms that JUCE sets; its own programs take no notice of that, and neither does this.
    using Handler = int (*)(void*, void*);
    if (void* const library = dlopen("libX11.so.6", RTLD_NOW))
        if (const auto set = reinterpret_cast<Handler (*)(Handler)>(dlsym(library, "XSetErrorHandler")))
            set([](void*, void*) { return 0; });
    const bool figures = juce::String(words[1]) == "--figures";
    auto processor = std::make_unique<Processor>();
    Host host(*processor);
    if (const Result<Patch> patch = Patch::factory("analog-bass"))
        if (!processor->instance().load_preset(*patch, "analog-bass")) fault("the preset was not loaded");
    processor->library().refresh();
    host.chord(true);
    host.run(40);

    if (figures) {
        host.chord(false);
        host.run(1500); // until it is silent
        Measure measure(*processor, host);
        juce::MessageManager::getInstance()->runDispatchLoop();
        processor->editorBeingDeleted(measure.editor.get());
        measure.editor = nullptr;
        return 0;
    }

    const juce::File folder = juce::File::getCurrentWorkingDirectory().getChildFile(words[1]);
    folder.createDirectory();
    const char* const names[] = {"voice", "effects", "presets", "worker", "settings"};
    for (int page = 0; page < 5; ++page) {
        auto editor = open(*processor, page, 1.0);
        host.run(40);
        // What the timer would do thirty times a second.
        for (int i = 0; i < 20; ++i) {
            host.run(3);
            juce::Thread::sleep(33);
            if (auto* const timer = dynamic_cast<juce::Timer*>(editor.get())) timer->timerCallback();
        }
        int found = 0;
        const int seen = look_at(*editor, false, found);
        std::printf("%s: %d components\n", names[page], seen);
        if (seen < 20) fault(juce::String(names[page]) + " has next to nothing on it");
        const auto traverser = editor->createKeyboardFocusTraverser();
        std::vector<juce::Component*> order = traverser->getAllComponents(editor.get());
        const int tabs = follow_tabs(*editor, order, false, found);
        if (tabs < 20) fault(juce::String(names[page]) + ": the tabulator reaches only " + juce::String(tabs));
        // Planted: one left out, and two in the wrong order.
        int unordered = 0;
        const auto last = order.back();
        order.pop_back();
        if (page == 0) std::reverse(order.begin(), order.end());
        follow_tabs(*editor, order, true, unordered);
        if (unordered < (page == 0 ? 2 : 1))
            fault("a planted fault of the tabulator's way was not found at " + path_of(*last));
        write(*editor, 1.0f, folder.getChildFile(juce::String("plugin-") + names[page] + ".png"));
        if (page < 2) write(*editor, 2.0f, folder.getChildFile(juce::String("plugin-") + names[page] + "-2x.png"));
        // Planted: a knob pushed over another is seen.
        if (page == 0) {
            juce::Component one, two;
            one.setBounds(0, 0, 100, 100);
            two.setBounds(50, 50, 10, 10);
            juce::Component parent;
            parent.setSize(80, 80);
            parent.addAndMakeVisible(one);
            parent.addAndMakeVisible(two);
            int planted = 0;
            look_at(parent, true, planted);
            if (planted < 2) fault("a planted overlap was not found");
        }
        processor->editorBeingDeleted(editor.get());
        editor = nullptr;
    }
    // A lost device shows in the status line, and goes when it is back.
    {
        Fallen fallen;
        fallen.setRateAndBufferSizeDetails(48000.0, 480);
        fallen.prepareToPlay(48000.0, 480);
        auto editor = open(fallen, 0, 1.0);
        const auto look = [&] {
            for (int i = 0; i < 14; ++i) {
                juce::Thread::sleep(33);
                if (auto* const timer = dynamic_cast<juce::Timer*>(editor.get())) timer->timerCallback();
            }
            return titled(*editor, Fallen::k_words);
        };
        if (look() != nullptr) fault("a badge without a lost device");
        fallen.lost = true;
        juce::Component* const badge = look();
        if (badge == nullptr) fault("no badge for a lost device");
        int found = 0;
        look_at(*editor, false, found);
        if (badge != nullptr) write(*editor, 1.0f, folder.getChildFile("lost-device.png"));
        fallen.lost = false;
        if (look() != nullptr) fault("the badge stays when the device is back");
        fallen.editorBeingDeleted(editor.get());
    }
    // Another voice type fits, too; and the smallest and the largest window.
    for (const char* preset : {"electric-piano", "drum-kit", "warm-pad"})
        if (const Result<Patch> patch = Patch::factory(preset)) {
            if (!processor->instance().load_preset(*patch, preset)) fault("a preset was not loaded");
            auto editor = open(*processor, 0, 1.0);
            int found = 0;
            look_at(*editor, false, found);
            write(*editor, 1.0f, folder.getChildFile(juce::String("voice-") + preset + ".png"));
            processor->editorBeingDeleted(editor.get());
        }
    for (const double scale : {0.75, 2.0}) {
        auto editor = open(*processor, 0, scale);
        if (std::abs(editor->getWidth() - 1120.0 * scale) > 2.0) fault("the window's size was not found again");
        processor->editorBeingDeleted(editor.get());
    }
    std::printf("%d faults; pictures in %s\n", faults, folder.getFullPathName().toRawUTF8());
    return faults == 0 ? 0 : 1;
}
