// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/processor.h"

#include <map>
#include <thread>

#include "plugin/juce/editor.h"

namespace tutti::plugin {
namespace {

constexpr std::size_t k_block_events = 16384;

juce::String text(const std::string& utf8) {
    return juce::String::fromUTF8(utf8.data(), static_cast<int>(utf8.size()));
}

// "warm-pad" as people write it.
juce::String title(std::string_view id) {
    juce::String out;
    bool start = true;
    for (const char c : id) {
        const bool gap = c == '-';
        out += gap ? juce::String(" ")
                   : juce::String::charToString(static_cast<juce::juce_wchar>(start ? std::toupper(c) : c));
        start = gap;
    }
    return out;
}

} // namespace

// --- parameters

HostParameter::HostParameter(Instance& instance, int place)
    : AudioProcessorParameterWithID(juce::ParameterID{text(ParameterList::get()[place].id), 1},
                                    text(ParameterList::get()[place].name)),
      m_instance(instance), m_place(place) {}

float HostParameter::getValue() const {
    return normalised_value(*info().row, m_instance.value(m_place));
}
void HostParameter::setValue(float normalised) {
    m_instance.set_value(m_place, value_from_normalised(*info().row, normalised));
}
float HostParameter::getDefaultValue() const {
    return normalised_value(*info().row, info().row->fallback);
}
int HostParameter::getNumSteps() const {
    return info().stepped() ? info().steps() : juce::AudioProcessor::getDefaultNumParameterSteps();
}
bool HostParameter::isDiscrete() const {
    return info().stepped();
}
bool HostParameter::isBoolean() const {
    return info().row->unit == Unit::toggle;
}
juce::String HostParameter::getText(float normalised, int longest) const {
    const juce::String full = text(value_text(*info().row, value_from_normalised(*info().row, normalised)));
    return longest > 0 ? full.substring(0, longest) : full;
}
float HostParameter::getValueForText(const juce::String& words) const {
    const Result<float> value = value_from_text(*info().row, words.toStdString());
    return value ? normalised_value(*info().row, *value) : getValue(); // what is no value changes nothing
}
juce::String HostParameter::getName(int longest) const {
    const juce::String full = text(info().name);
    // Hosts ask for 8 to 32 characters: the group goes first, the parameter's own name stays.
    if (longest <= 0 || full.length() <= longest) return full;
    return text(info().row->name).substring(0, longest);
}

// --- the shared list of presets

struct SharedLibrary::Reader {
    std::thread thread;
};

SharedLibrary::SharedLibrary() : m_reader(std::make_unique<Reader>()) {}
SharedLibrary::~SharedLibrary() {
    if (m_reader->thread.joinable()) m_reader->thread.join();
}
void SharedLibrary::refresh() {
    if (m_busy.exchange(true, std::memory_order_acq_rel)) return;
    if (m_reader->thread.joinable()) m_reader->thread.join();
    m_reader->thread = std::thread([this] {
        library.refresh();
        m_busy.store(false, std::memory_order_release);
    });
}

// --- the processor

Processor::Processor() : AudioProcessor(BusesProperties().withOutput("Output", juce::AudioChannelSet::stereo(), true)) {
    const ParameterList& list = ParameterList::get();
    juce::AudioProcessorParameterGroup tree;
    // A group of groups: "Subtractive/Filter".
    std::map<juce::String, juce::AudioProcessorParameterGroup*> groups;
    for (int place = 0; place < list.size(); ++place) {
        const juce::String path = text(list[place].group);
        juce::AudioProcessorParameterGroup* into = &tree;
        juce::String so_far;
        for (const juce::String& name : juce::StringArray::fromTokens(path, "/", "")) {
            so_far += "/" + name;
            auto found = groups.find(so_far);
            if (found == groups.end()) {
                auto group = std::make_unique<juce::AudioProcessorParameterGroup>(so_far, name, "|");
                found = groups.emplace(so_far, group.get()).first;
                into->addChild(std::move(group));
            }
            into = found->second;
        }
        auto parameter = std::make_unique<HostParameter>(m_instance, place);
        m_parameters.push_back(parameter.get());
        into->addChild(std::move(parameter));
    }
    setParameterTree(std::move(tree));
    for (const HostParameter* parameter : m_parameters)
        m_told.push_back(parameter->getValue());
    m_events.reserve(k_block_events);
    m_instance.set_soft_start(wrapperType == wrapperType_Standalone);
    m_instance.set_listener(this);
    startTimerHz(30);
}

Processor::~Processor() {
    stopTimer();
    m_instance.set_listener(nullptr);
}

juce::String Processor::problem() const {
    const std::lock_guard lock(m_problem_mutex);
    return m_problem;
}

void Processor::prepareToPlay(double rate, int frames) {
    m_load.reset(rate, frames);
    m_instance.set_offline(isNonRealtime());
    const Status status = m_instance.prepare(rate, frames);
    {
        const std::lock_guard lock(m_problem_mutex);
        m_problem = status ? juce::String() : text(status.message());
    }
    setLatencySamples(m_instance.latency_frames());
}

void Processor::releaseResources() {
    m_instance.release();
}
void Processor::reset() {
    m_instance.panic();
}
void Processor::setNonRealtime(bool offline) noexcept {
    AudioProcessor::setNonRealtime(offline);
    m_instance.set_offline(offline);
}

bool Processor::isBusesLayoutSupported(const BusesLayout& layout) const {
    const juce::AudioChannelSet out = layout.getMainOutputChannelSet();
    return layout.getMainInputChannels() == 0 &&
           (out == juce::AudioChannelSet::stereo() || out == juce::AudioChannelSet::mono());
}

void Processor::processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer& midi) {
    const juce::AudioProcessLoadMeasurer::ScopedTimer timer(m_load, buffer.getNumSamples());
    m_events.clear();
    for (const juce::MidiMessageMetadata message : midi) {
        if (message.numBytes > 2 && message.data[0] == 0xf0)
            m_instance.take_sysex({message.data, static_cast<std::size_t>(message.numBytes)}, message.samplePosition);
        // System messages have no channel; what does not fit any more is dropped, as a full queue would.
        if (message.numBytes < 2 || message.data[0] < 0x80 || message.data[0] >= 0xf0 ||
            m_events.size() == m_events.capacity())
            continue;
        m_events.push_back(BlockEvent::midi(message.samplePosition, message.data[0], message.data[1],
                                            message.numBytes > 2 ? message.data[2] : 0));
    }
    HostTransport transport;
    bool known = false;
    if (juce::AudioPlayHead* const head = getPlayHead())
        if (const auto position = head->getPosition()) {
            known = true;
            transport.playing = position->getIsPlaying();
            if (const auto tempo = position->getBpm()) transport.beats_per_minute = *tempo;
            if (const auto at = position->getPpqPosition()) {
                transport.has_position = true;
                transport.quarter_notes = *at;
            }
            if (const auto loop = position->getLoopPoints()) {
                transport.looping = position->getIsLooping();
                transport.loop_begin = loop->ppqStart;
                transport.loop_end = loop->ppqEnd;
            }
        }
    float* const* const out = buffer.getArrayOfWritePointers();
    const HostTransport* const clock = known ? &transport : nullptr;
    if (isNonRealtime())
        m_instance.process_offline(out, buffer.getNumChannels(), buffer.getNumSamples(), m_events, clock);
    else
        m_instance.process(out, buffer.getNumChannels(), buffer.getNumSamples(), m_events, clock);
}

double Processor::getTailLengthSeconds() const {
    const double rate = m_instance.sample_rate();
    return rate > 0.0 ? static_cast<double>(m_instance.tail_frames()) / rate : 0.0;
}

juce::AudioProcessorEditor* Processor::createEditor() {
    return make_editor(*this);
}

// --- programs: the factory presets, in the host's menu

int Processor::getNumPrograms() {
    return static_cast<int>(Patch::factory_names().size());
}
int Processor::getCurrentProgram() {
    const std::string preset = m_instance.preset();
    const auto names = Patch::factory_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == preset) m_program = static_cast<int>(i);
    return m_program;
}
void Processor::setCurrentProgram(int index) {
    // Hosts set the program that is there again after a state: that must not undo the state.
    if (index < 0 || index >= getNumPrograms() || index == getCurrentProgram()) return;
    const std::string_view name = Patch::factory_names()[static_cast<std::size_t>(index)];
    if (const Result<Patch> patch = Patch::factory(name))
        if (m_instance.load_preset(*patch, std::string(name))) m_program = index;
}
const juce::String Processor::getProgramName(int index) {
    if (index < 0 || index >= getNumPrograms()) return {};
    return title(Patch::factory_names()[static_cast<std::size_t>(index)]);
}

// --- state

void Processor::getStateInformation(juce::MemoryBlock& data) {
    const std::string state = m_instance.save();
    data.replaceAll(state.data(), state.size());
}
void Processor::setStateInformation(const void* data, int bytes) {
    if (data == nullptr || bytes <= 0) return;
    const Status status =
        m_instance.load(std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(bytes)));
    const std::lock_guard lock(m_problem_mutex);
    m_problem = status ? juce::String() : text(status.message());
}

// --- what changes without the host

void Processor::value_changed(int parameter) {
    HostParameter& moved = *m_parameters[static_cast<std::size_t>(parameter)];
    m_told[static_cast<std::size_t>(parameter)] = moved.getValue();
    moved.sendValueChangedMessageToListeners(moved.getValue());
}
void Processor::everything_changed() {
    m_generation.fetch_add(1, std::memory_order_relaxed);
    m_tell_all.store(true, std::memory_order_relaxed);
}

void Processor::restart_wanted() {
    // Between two blocks: the host's callback waits for the lock, not longer than opening a stream takes.
    const double rate = m_instance.sample_rate();
    const int frames = getBlockSize();
    if (rate <= 0.0 || frames <= 0) return;
    const juce::ScopedLock lock(getCallbackLock());
    prepareToPlay(rate, frames);
}

void Processor::timerCallback() {
    m_instance.tick();
    if (!m_tell_all.exchange(false, std::memory_order_relaxed)) return;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        const float now = m_parameters[i]->getValue();
        if (now == m_told[i]) continue;
        m_told[i] = now;
        m_parameters[i]->sendValueChangedMessageToListeners(now);
    }
    updateHostDisplay(ChangeDetails().withProgramChanged(true).withNonParameterStateChanged(true));
}

void Processor::begin_change(int place) {
    m_instance.begin_edit(place);
    m_parameters[static_cast<std::size_t>(place)]->beginChangeGesture();
}
void Processor::change(int place, float value) {
    HostParameter& parameter = *m_parameters[static_cast<std::size_t>(place)];
    const float normalised = normalised_value(*ParameterList::get()[place].row, value);
    m_instance.set_value(place, value);
    m_told[static_cast<std::size_t>(place)] = parameter.getValue();
    parameter.sendValueChangedMessageToListeners(normalised);
}
void Processor::end_change(int place) {
    m_parameters[static_cast<std::size_t>(place)]->endChangeGesture();
    m_instance.end_edit(place);
}

} // namespace tutti::plugin

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() {
    return new tutti::plugin::Processor();
}
