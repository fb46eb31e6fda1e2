-- SPDX-License-Identifier: MIT
-- ardour7-lua ardour_setup.lua FOLDER NAME PLUGIN TYPE: a session with one MIDI track that plays through the plugin.
local folder, name, plugin, kind = arg[1], arg[2], arg[3], arg[4]
AudioEngine:set_backend ("None (Dummy)", "", "")
local session = create_session (folder, name, 48000)
assert (session, "no session")
local info = ARDOUR.LuaAPI.new_plugin_info (plugin, ARDOUR.PluginType[kind])
if info:isnil () then
	print ("PLUGIN MISSING")
	for p in ARDOUR.LuaAPI.list_plugins ():iter () do print ("known: " .. p.name) end
	close_session ()
	quit ()
end
local one_midi = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
local two_audio = ARDOUR.ChanCount (ARDOUR.DataType ("audio"), 2)
local tracks = session:new_midi_track (one_midi, two_audio, true, info, nil, nil, 1, "Synth", ARDOUR.PresentationInfo.max_order,
                                       ARDOUR.TrackMode.Normal, true)
for track in tracks:iter () do
	local output = track:output ()
	print ("OUTPUTS " .. output:n_ports ():n_audio ())
	for i = 0, 1 do output:audio (i):connect ("Master/audio_in " .. (i + 1)) end
	if not track:panner_shell ():isnil () then track:panner_shell ():set_bypassed (true) end
	print ("PLUGIN " .. track:nth_plugin (0):to_insert ():plugin (0):name ())
end
session:save_state ("")
close_session ()
