// SPDX-License-Identifier: AGPL-3.0-or-later
// The editor's window. It holds a picture of 1120 x 720 points that scales as a whole from 75 % to 200 %.
#pragma once

namespace juce {
class AudioProcessorEditor;
}

namespace tutti::plugin {

class Processor;

// The caller owns it. [control]
juce::AudioProcessorEditor* make_editor(Processor& processor);

} // namespace tutti::plugin
