// SPDX-License-Identifier: AGPL-3.0-or-later
#include "tests/host/plugcheck/juce_host.h"

#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace tutti::host {
namespace {

class JuceEditor final : public Editor {
public:
    explicit JuceEditor(juce::AudioProcessorEditor* editor) : m_editor(editor) {
        m_window.setSize(editor->getWidth(), editor->getHeight());
        m_window.addAndMakeVisible(editor);
        m_window.addToDesktop(0);
        m_window.setVisible(true);
    }
    ~JuceEditor() override {
        m_editor->processor.editorBeingDeleted(m_editor.get());
        m_editor.reset();
        m_window.removeFromDesktop();
    }
    int width() const override { return m_editor->getWidth(); }
    int height() const override { return m_editor->getHeight(); }
    void resize(int width, int height) override { m_editor->setSize(width, height); }

private:
    juce::Component m_window;
    std::unique_ptr<juce::AudioProcessorEditor> m_editor;
};

} // namespace

namespace {
std::unique_ptr<juce::ScopedJuceInitialiser_GUI> g_juce;
}
void start_juce() {
    if (g_juce == nullptr) g_juce = std::make_unique<juce::ScopedJuceInitialiser_GUI>();
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
    : m_instance(std::move(instance)), m_format(std::move(format)) {
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
    m_instance.reset();
    idle(1);
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
    m_instance->setNonRealtime(offline);
    m_instance->setRateAndBufferSizeDetails(sample_rate, max_frames);
    m_instance->prepareToPlay(sample_rate, max_frames);
    m_rate = sample_rate;
    return true;
}

void JucePlugin::release() {
    m_instance->releaseResources();
}

void JucePlugin::process(const Block& block) noexcept {
    m_midi.clear();
    for (const Event& event : block.events) {
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
            m_parameters[static_cast<std::size_t>(event.parameter)]->setValue(static_cast<float>(event.value));
    }
    if (block.transport != nullptr) {
        const Transport& now = *block.transport;
        PositionInfo position;
        position.setTimeInSamples(now.frame);
        position.setTimeInSeconds(m_rate > 0.0 ? static_cast<double>(now.frame) / m_rate : 0.0);
        position.setBpm(now.tempo);
        position.setPpqPosition(now.quarters);
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
        all[c] = c < block.outs ? block.out[c] : block.in[c];
        if (c < block.ins && c < block.outs && block.in[c] != block.out[c])
            std::copy(block.in[c], block.in[c] + block.frames, block.out[c]);
        if (c >= block.ins) std::fill(all[c], all[c] + block.frames, 0.0f);
    }
    juce::AudioBuffer<float> buffer(all, std::min(channels, 31), block.frames);
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
    m_parameters[static_cast<std::size_t>(parameter)]->setValue(static_cast<float>(value));
}
std::string JucePlugin::text(int parameter, double value) {
    return m_parameters[static_cast<std::size_t>(parameter)]->getText(static_cast<float>(value), 1024).toStdString();
}
std::optional<double> JucePlugin::parse(int parameter, const std::string& text) {
    return static_cast<double>(
        m_parameters[static_cast<std::size_t>(parameter)]->getValueForText(juce::String::fromUTF8(text.c_str())));
}

Bytes JucePlugin::save() {
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
