// SPDX-License-Identifier: AGPL-3.0-or-later
#include "tests/host/plugcheck/juce_host.h"

#include <dlfcn.h>

#include <juce_gui_extra/juce_gui_extra.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace tutti::host {
namespace {

// Until every message that was posted so far has been delivered.
void drain() {
    const auto reached = std::make_shared<bool>(false);
    juce::MessageManager::callAsync([reached] { *reached = true; });
    while (!*reached)
        juce::MessageManager::getInstance()->runDispatchLoopUntil(1);
}

class JuceEditor final : public Editor {
public:
    explicit JuceEditor(juce::AudioProcessorEditor* editor) : m_editor(editor) {
        m_window.setSize(editor->getWidth(), editor->getHeight());
        m_window.addAndMakeVisible(editor);
        m_window.addToDesktop(0);
        m_window.setVisible(true);
    }
    ~JuceEditor() override {
        // JUCE's XEmbedComponent answers each ConfigureNotify of the plugin's window with a message that holds a bare pointer to itself,
        // and does not take it back when it goes: it hears of no more of them, and those that are under way come before the end.
#if JUCE_LINUX || JUCE_BSD
        for (juce::Component* const child : m_editor->getChildren())
            if (auto* const embedded = dynamic_cast<juce::XEmbedComponent*>(child)) embedded->removeClient();
#endif
        drain();
        m_editor->processor.editorBeingDeleted(m_editor.get());
        m_editor.reset();
        m_window.removeFromDesktop();
    }
    int width() const override {
        return m_editor->getWidth();
    }
    int height() const override {
        return m_editor->getHeight();
    }
    void resize(int width, int height) override {
        m_editor->setSize(width, height);
    }

private:
    juce::Component m_window;
    std::unique_ptr<juce::AudioProcessorEditor> m_editor;
};

} // namespace

namespace {
std::unique_ptr<juce::ScopedJuceInitialiser_GUI> g_juce;

// Names that a window manager gives a screen. JUCE asks for them only where they are there, writes them into its windows all
// the same, and a bare Xvfb ends a process for that. The screen stays open: with its last client it would forget them. What it
// still refuses is no reason to end, as it is none for JUCE's own programs. False: there is no such screen.
bool name_window_properties() {
    void* const library = dlopen("libX11.so.6", RTLD_NOW);
    if (library == nullptr) return false;
    const auto open = reinterpret_cast<void* (*)(const char*)>(dlsym(library, "XOpenDisplay"));
    const auto name = reinterpret_cast<unsigned long (*)(void*, const char*, int)>(dlsym(library, "XInternAtom"));
    static void* const display = open != nullptr && name != nullptr ? open(nullptr) : nullptr;
    if (display == nullptr) return false;
    using Handler = int (*)(void*, void*);
    if (const auto handle = reinterpret_cast<Handler (*)(Handler)>(dlsym(library, "XSetErrorHandler")))
        handle([](void*, void*) { return 0; });
    for (const char* text : {"WM_PROTOCOLS", "WM_TAKE_FOCUS", "WM_CHANGE_STATE", "WM_STATE", "_NET_WM_PING",
                             "_NET_WM_WINDOW_TYPE", "_NET_WM_STATE"})
        name(display, text, 0);
    return true;
}
} // namespace
void start_juce() {
    if (g_juce != nullptr) return;
    // One that cannot be opened is none: JUCE would crash at its first window.
    if (std::getenv("DISPLAY") != nullptr && !name_window_properties()) unsetenv("DISPLAY");
    g_juce = std::make_unique<juce::ScopedJuceInitialiser_GUI>();
}
void end_hosts() {
    g_juce.reset(); // before the process's own objects go: JUCE's screen is among them
}

std::unique_ptr<Plugin> load_juce(const std::string& path) {
    start_juce();
    namespace fs = std::filesystem;
    const fs::path bundle = fs::absolute(path).lexically_normal();
    juce::OwnedArray<juce::PluginDescription> found;
    std::unique_ptr<juce::AudioPluginFormat> format;
    if (bundle.extension() == ".lv2") {
        // LV2 plugins go by their URI; the bundle's folder is where it is looked for, and nowhere else.
        setenv("LV2_PATH", bundle.parent_path().c_str(), 1);
        format = std::make_unique<juce::LV2PluginFormat>();
        for (const juce::String& uri :
             format->searchPathsForPlugins(juce::FileSearchPath(bundle.parent_path().string()), false, false))
            format->findAllTypesForFile(found, uri);
    } else {
        format = std::make_unique<juce::VST3PluginFormat>();
        format->findAllTypesForFile(found, bundle.string());
    }
    if (found.isEmpty()) throw std::runtime_error("is no plugin that JUCE can host");
    juce::String why;
    auto instance = format->createInstanceFromDescription(*found[0], 48000.0, 512, why);
    if (instance == nullptr) throw std::runtime_error("gives no instance: " + why.toStdString());
    return std::make_unique<JucePlugin>(std::move(instance), format->getName().toStdString() + " (JUCE)");
}

JucePlugin::JucePlugin(std::unique_ptr<juce::AudioPluginInstance> instance, std::string format)
    : m_instance(std::move(instance)), m_format(std::move(format)), m_vst3(m_format.rfind("VST3", 0) == 0) {
    m_instance->fillInPluginDescription(m_about);
    m_instance->enableAllBuses();
    m_instance->setPlayHead(this);
    m_midi.ensureSize(1 << 20);
    const auto group_of = [&](const juce::AudioProcessorParameter* parameter) {
        juce::String path;
        for (const auto* group : m_instance->getParameterTree().getGroupsForParameter(
                 const_cast<juce::AudioProcessorParameter*>(parameter)))
            path += (path.isEmpty() ? "" : "/") + group->getName();
        return path.toStdString();
    };
    for (int i = 0; i < m_instance->getParameters().size(); ++i) {
        auto* const parameter = m_instance->getHostedParameter(i);
        Parameter p;
        p.id = parameter->getParameterID().toStdString();
        p.name = parameter->getName(1024).toStdString();
        // JUCE's VST3 wrapper stands 130 controllers of 16 channels among the parameters: MIDI by another name.
        if (!parameter->isAutomatable() && p.name.rfind("MIDI CC", 0) == 0) continue;
        // And its programs: who sets that one sets all the others. `programs` plays them; its text is JUCE's own, where "12 parsecs" is 12.
        const int programs = m_instance->getNumPrograms();
        if (programs > 1 && p.name == "Program" && parameter->getNumSteps() == programs) continue;
        p.group = group_of(parameter);
        p.unit = parameter->getLabel().toStdString();
        p.standard = static_cast<double>(parameter->getDefaultValue());
        p.steps = parameter->isDiscrete() ? parameter->getNumSteps() - 1 : 0;
        p.automatable = parameter->isAutomatable();
        m_list.push_back(p);
        m_parameters.push_back(parameter);
    }
}

JucePlugin::~JucePlugin() {
    release();
    m_instance->setPlayHead(nullptr);
    // What JUCE's host has still to tell its instance comes now: its VST3HostContext keeps a bare pointer, also when that is gone.
    idle(20);
    m_instance.reset();
}

std::string JucePlugin::structure() {
    if (!m_about.isInstrument) return "it does not say that it is an instrument";
    if (!m_instance->acceptsMidi()) return "it takes no MIDI";
    const auto standard = m_instance->getBusesLayout();
    for (int bus = 1; bus < m_instance->getBusCount(false); ++bus)
        (void)m_instance->getBus(false, bus)->enable(false);
    m_instance->enableAllBuses();
    if (!m_instance->setBusesLayout(standard)) return "the layout of its buses cannot be restored";
    if (m_instance->getMainBusNumOutputChannels() != 2)
        return "its main output has " + std::to_string(m_instance->getMainBusNumOutputChannels()) + " channels";
    return {};
}

bool JucePlugin::prepare(double sample_rate, int max_frames, bool offline) {
    // Not setRateAndBufferSizeDetails before: JUCE's VST3 host then takes itself for prepared and leaves the plugin as it was.
    m_instance->setNonRealtime(offline);
    m_instance->prepareToPlay(sample_rate, max_frames);
    m_rate = sample_rate;
    m_active = true;
    return true;
}

void JucePlugin::release() {
    m_instance->releaseResources();
    m_active = false;
}

// A VST3 host gives 0 to 1, and of what has steps a step. JUCE's keeps what it is given: what is none would come back as the plugin's.
void JucePlugin::give(int parameter, double value) noexcept {
    const int steps = m_list[static_cast<std::size_t>(parameter)].steps;
    if (std::isnan(value)) return;
    value = std::clamp(value, 0.0, 1.0);
    if (steps > 0) value = std::round(value * steps) / steps;
    m_parameters[static_cast<std::size_t>(parameter)]->setValue(static_cast<float>(value));
}

void JucePlugin::process(const Block& block) noexcept {
    m_unsent = false;
    // To a VST3 controllers are parameters, which JUCE's host gives with the block and not with a frame: it is cut where one stands.
    int from = 0;
    if (m_vst3)
        for (const Event& event : block.events) {
            const int frame = std::min(event.frame, block.frames - 1);
            if (event.type != EventType::midi || frame <= from) continue;
            process(block, from, frame);
            from = frame;
        }
    process(block, from, block.frames);
}

void JucePlugin::process(const Block& block, int from, int to) noexcept {
    const int frames = to - from;
    m_midi.clear();
    for (const Event& all : block.events) {
        Event event = all;
        event.frame -= from;
        // What lies outside the block is the first's or the last's.
        if ((event.frame < 0 && from > 0) || (event.frame >= frames && to < block.frames)) continue;
        const auto velocity = static_cast<std::uint8_t>(std::lround(event.value * 127.0));
        if (event.type == EventType::note_on || event.type == EventType::note_off) {
            const std::uint8_t bytes[] = {
                static_cast<std::uint8_t>((event.type == EventType::note_on ? 0x90 : 0x80) | event.channel),
                static_cast<std::uint8_t>(event.key & 0x7f),
                event.type == EventType::note_on ? std::max<std::uint8_t>(1, velocity) : velocity};
            m_midi.addEvent(bytes, 3, event.frame);
        } else if (event.type == EventType::midi) {
            const int kind = event.midi[0] & 0xf0;
            m_midi.addEvent(event.midi, kind == 0xc0 || kind == 0xd0 ? 2 : 3, event.frame);
        } else if (event.type == EventType::parameter)
            give(event.parameter, event.value);
    }
    if (block.transport != nullptr) {
        const Transport& now = *block.transport;
        PositionInfo position;
        const double seconds = m_rate > 0.0 && now.playing ? from / m_rate : 0.0;
        position.setTimeInSamples(now.frame + (now.playing ? from : 0));
        position.setTimeInSeconds(m_rate > 0.0 ? static_cast<double>(now.frame) / m_rate + seconds : 0.0);
        position.setBpm(now.tempo);
        position.setPpqPosition(now.quarters + seconds * now.tempo / 60.0);
        position.setIsPlaying(now.playing);
        position.setIsLooping(now.looping);
        position.setLoopPoints(LoopPoints{now.loop_start, now.loop_end});
        position.setTimeSignature(TimeSignature{now.numerator, now.denominator});
        m_position = position;
    } else
        m_position = juce::Optional<PositionInfo>();
    // One set of channels, in and out: the plugin's input stands where its output will.
    const int channels = std::max(block.ins, block.outs);
    float* all[32] = {};
    for (int c = 0; c < std::min(channels, 31); ++c) {
        all[c] = (c < block.outs ? block.out[c] : block.in[c]) + from;
        if (c < block.ins && c < block.outs && block.in[c] != block.out[c])
            std::copy(block.in[c] + from, block.in[c] + to, all[c]);
        if (c >= block.ins) std::fill(all[c], all[c] + frames, 0.0f);
    }
    juce::AudioBuffer<float> buffer(all, std::min(channels, 31), frames);
    m_instance->processBlock(buffer, m_midi);
}

std::int64_t JucePlugin::tail() {
    const double seconds = m_instance->getTailLengthSeconds();
    return !(seconds < 1e6) ? -1 : static_cast<std::int64_t>(std::ceil(seconds * m_rate));
}

double JucePlugin::value(int parameter) {
    return static_cast<double>(m_parameters[static_cast<std::size_t>(parameter)]->getValue());
}
void JucePlugin::set(int parameter, double value) {
    give(parameter, value);
    m_unsent = true;
}
std::string JucePlugin::text(int parameter, double value) {
    return m_parameters[static_cast<std::size_t>(parameter)]->getText(static_cast<float>(value), 1024).toStdString();
}
std::optional<double> JucePlugin::parse(int parameter, const std::string& text) {
    return static_cast<double>(
        m_parameters[static_cast<std::size_t>(parameter)]->getValueForText(juce::String::fromUTF8(text.c_str())));
}

Bytes JucePlugin::save() {
    // A VST3 hears of values with a block: where nobody plays, an empty one brings them.
    if (m_unsent && !m_active) {
        prepare(48000.0, 512, false);
        juce::AudioBuffer<float> empty(std::max(ins(), outs()), 0);
        m_midi.clear();
        m_instance->processBlock(empty, m_midi);
        release();
        m_unsent = false;
    }
    juce::MemoryBlock block;
    m_instance->getStateInformation(block);
    const auto* const data = static_cast<const std::uint8_t*>(block.getData());
    return Bytes(data, data + block.getSize());
}

bool JucePlugin::load(std::span<const std::uint8_t> state, int) {
    m_instance->setStateInformation(state.data(), static_cast<int>(state.size()));
    return true;
}

int JucePlugin::programs() {
    return m_instance->getNumPrograms() > 1 ? m_instance->getNumPrograms() : 0;
}

std::unique_ptr<Editor> JucePlugin::open_editor() {
    auto* const editor = m_instance->createEditorIfNeeded();
    return editor == nullptr ? nullptr : std::make_unique<JuceEditor>(editor);
}

void JucePlugin::idle(int milliseconds) {
    if (juce::MessageManager::getInstance()->isThisTheMessageThread())
        juce::MessageManager::getInstance()->runDispatchLoopUntil(std::max(1, milliseconds));
}

} // namespace tutti::host
