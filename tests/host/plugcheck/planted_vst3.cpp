// SPDX-License-Identifier: AGPL-3.0-or-later
// A VST3 instrument of one object with one parameter, and a fault for every check of VST3's bare interfaces.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "tests/host/plugcheck/vst3_objects.h"

namespace tutti::host {

using namespace Steinberg;
using namespace Steinberg::Vst;

namespace {

bool planted(const char* name) {
    const char* const fault = std::getenv("TUTTI_PLANTED");
    return fault != nullptr && std::string(fault) == name;
}

void name_it(TChar* to, const char* text) {
    while ((*to++ = static_cast<TChar>(*text++)) != 0) {
    }
}

constexpr TUID k_class = {'T', 'u', 't', 't', 'i', ' ', 'p', 'l', 'a', 'n', 't', 'e', 'd', ' ', '0', '1'};

class Beep final : public IComponent, public IAudioProcessor, public IEditController, public IMidiMapping {
public:
    uint32 PLUGIN_API addRef() override { return ++m_count; }
    uint32 PLUGIN_API release() override {
        const uint32 left = --m_count;
        if (left == 0) delete this;
        return left;
    }
    tresult PLUGIN_API queryInterface(const TUID id, void** object) override {
        *object = same(id, IAudioProcessor_iid)   ? static_cast<void*>(static_cast<IAudioProcessor*>(this))
                  : same(id, IEditController_iid) ? static_cast<void*>(static_cast<IEditController*>(this))
                  : same(id, IMidiMapping_iid)    ? static_cast<void*>(static_cast<IMidiMapping*>(this))
                  : same(id, IComponent_iid) || same(id, FUnknown_iid) || same(id, IPluginBase_iid)
                      ? static_cast<void*>(static_cast<IComponent*>(this))
                      : nullptr;
        if (*object != nullptr) addRef();
        return *object != nullptr ? kResultOk : kNoInterface;
    }

    tresult PLUGIN_API initialize(FUnknown*) override { return kResultOk; }
    tresult PLUGIN_API terminate() override {
        m_activations = 0;
        return kResultOk;
    }

    // IComponent
    tresult PLUGIN_API getControllerClassId(TUID) override { return kNotImplemented; }
    tresult PLUGIN_API setIoMode(IoMode) override { return kResultOk; }
    int32 PLUGIN_API getBusCount(MediaType type, BusDirection direction) override {
        return (type == kAudio && direction == kOutput) || (type == kEvent && direction == kInput) ? 1 : 0;
    }
    tresult PLUGIN_API getBusInfo(MediaType type, BusDirection direction, int32 index, BusInfo& info) override {
        if (index < 0 || (index >= getBusCount(type, direction) && !planted("vst3.buses"))) return kInvalidArgument;
        info.mediaType = type;
        info.direction = direction;
        info.channelCount = type == kAudio ? SpeakerArr::getChannelCount(m_speakers) : 16;
        name_it(info.name, "Bus");
        info.busType = kMain;
        info.flags = BusInfo::kDefaultActive;
        return kResultOk;
    }
    tresult PLUGIN_API getRoutingInfo(RoutingInfo&, RoutingInfo&) override { return kNotImplemented; }
    tresult PLUGIN_API activateBus(MediaType type, BusDirection direction, int32 index, TBool) override {
        return index >= 0 && index < getBusCount(type, direction) ? kResultOk : kInvalidArgument;
    }
    tresult PLUGIN_API setActive(TBool on) override {
        if (on && planted("vst3.invalid_transitions") && m_active) m_broken = true;
        m_active = on != 0;
        m_on = false;
        if (on && planted("vst3.transitions") && ++m_activations == 2) return kInternalError;
        return kResultOk;
    }
    tresult PLUGIN_API setState(IBStream* stream) override { return stream->read(&m_level, sizeof m_level, nullptr); }
    tresult PLUGIN_API getState(IBStream* stream) override { return stream->write(&m_level, sizeof m_level, nullptr); }

    // IAudioProcessor
    tresult PLUGIN_API setBusArrangements(SpeakerArrangement*, int32 ins, SpeakerArrangement* outs,
                                          int32 count) override {
        if (ins != 0 || count != 1) return kResultFalse;
        if (planted("vst3.arrangements") && outs[0] == SpeakerArr::k51) return kResultTrue;
        return outs[0] == SpeakerArr::kStereo ? kResultTrue : kResultFalse;
    }
    tresult PLUGIN_API getBusArrangement(BusDirection direction, int32 index, SpeakerArrangement& speakers) override {
        if (direction != kOutput || index != 0) return kInvalidArgument;
        speakers = m_speakers;
        return kResultOk;
    }
    tresult PLUGIN_API canProcessSampleSize(int32 size) override {
        return size == kSample32 ? kResultTrue : kResultFalse;
    }
    uint32 PLUGIN_API getLatencySamples() override { return 0; }
    tresult PLUGIN_API setupProcessing(ProcessSetup&) override { return kResultOk; }
    tresult PLUGIN_API setProcessing(TBool) override { return kResultOk; }
    tresult PLUGIN_API process(ProcessData& data) override {
        if (data.inputParameterChanges != nullptr && !planted("vst3.flush"))
            for (int32 i = 0; i < data.inputParameterChanges->getParameterCount(); ++i) {
                int32 offset = 0;
                data.inputParameterChanges->getParameterData(i)->getPoint(0, offset, m_level);
            }
        for (int32 i = 0; data.inputEvents != nullptr && i < data.inputEvents->getEventCount(); ++i) {
            Vst::Event event{};
            if (data.inputEvents->getEvent(i, event) == kResultOk && event.type == Vst::Event::kNoteOnEvent)
                m_on = true;
        }
        if (planted("vst3.bare_process") && data.inputEvents == nullptr && data.numSamples > 0) m_broken = true;
        if (data.numOutputs == 0 || data.outputs[0].numChannels < 2) return kResultOk;
        const bool negative = planted("vst3.odd_blocks") && data.numSamples < -1;
        for (int32 i = negative ? data.numSamples * 100 : 0; i < data.numSamples; ++i) {
            m_phase += 0.03;
            const float sample = m_on && m_active && !m_broken ? 0.2f * static_cast<float>(std::sin(m_phase)) : 0.0f;
            data.outputs[0].channelBuffers32[0][i] = data.outputs[0].channelBuffers32[1][i] = sample;
        }
        data.outputs[0].silenceFlags = !m_on || planted("vst3.silence_flags") ? 3 : 0;
        return kResultOk;
    }
    uint32 PLUGIN_API getTailSamples() override { return 0; }

    // IEditController
    tresult PLUGIN_API setComponentState(IBStream*) override { return kResultOk; }
    int32 PLUGIN_API getParameterCount() override { return 1; }
    tresult PLUGIN_API getParameterInfo(int32 index, ParameterInfo& info) override {
        if (index != 0) return kInvalidArgument;
        info = {};
        info.id = 7;
        name_it(info.title, "Level");
        info.defaultNormalizedValue = 0.5;
        info.unitId = planted("vst3.parameters") ? 99 : kRootUnitId;
        info.flags = ParameterInfo::kCanAutomate;
        return kResultOk;
    }
    tresult PLUGIN_API getParamStringByValue(ParamID, ParamValue, String128) override { return kResultFalse; }
    tresult PLUGIN_API getParamValueByString(ParamID, TChar*, ParamValue&) override { return kResultFalse; }
    ParamValue PLUGIN_API normalizedParamToPlain(ParamID, ParamValue value) override { return value; }
    ParamValue PLUGIN_API plainParamToNormalized(ParamID, ParamValue value) override { return value; }
    ParamValue PLUGIN_API getParamNormalized(ParamID) override { return m_level; }
    tresult PLUGIN_API setParamNormalized(ParamID, ParamValue value) override { return m_level = value, kResultOk; }
    tresult PLUGIN_API setComponentHandler(IComponentHandler*) override { return kResultOk; }
    IPlugView* PLUGIN_API createView(FIDString) override { return nullptr; }

    // IMidiMapping
    tresult PLUGIN_API getMidiControllerAssignment(int32 bus, int16, CtrlNumber number_of, ParamID& id) override {
        if (bus != 0 || number_of != 1) return kResultFalse;
        id = planted("vst3.midi_mapping") ? 8 : 7;
        return kResultOk;
    }

private:
    virtual ~Beep() = default;
    uint32 m_count = 1;
    SpeakerArrangement m_speakers = SpeakerArr::kStereo;
    ParamValue m_level = 0.5;
    double m_phase = 0.0;
    int m_activations = 0;
    bool m_on = false, m_active = false, m_broken = false;
};

class Factory final : public Counted<IPluginFactory> {
public:
    tresult PLUGIN_API queryInterface(const TUID, void** object) override { return *object = nullptr, kNoInterface; }
    tresult PLUGIN_API getFactoryInfo(PFactoryInfo* info) override {
        *info = PFactoryInfo("Tutti", "", "", 0);
        return kResultOk;
    }
    int32 PLUGIN_API countClasses() override { return 1; }
    tresult PLUGIN_API getClassInfo(int32 index, PClassInfo* info) override {
        if (index != 0) return kInvalidArgument;
        *info = PClassInfo(k_class, PClassInfo::kManyInstances, kVstAudioEffectClass, "Planted");
        return kResultOk;
    }
    tresult PLUGIN_API createInstance(FIDString id, FIDString, void** object) override {
        if (std::memcmp(id, k_class, sizeof k_class) != 0 && !planted("vst3.factory")) return kInvalidArgument;
        *object = static_cast<IComponent*>(new Beep);
        return kResultOk;
    }
};

} // namespace

IPluginFactory* planted_vst3() {
    static Factory factory;
    return &factory;
}

} // namespace tutti::host
