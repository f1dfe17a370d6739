// NetEq (WebRTC) as a player, for comparison only: Debian's libtgowt-dev. Asked every 10 ms, as WebRTC asks it.
#include <absl/types/optional.h>
#include <api/audio/audio_frame.h>
#include <api/audio_codecs/audio_decoder_factory.h>
#include <api/neteq/neteq.h>
#include <modules/audio_coding/codecs/g711/audio_decoder_pcm.h>
#include <modules/audio_coding/neteq/default_neteq_factory.h>
#include <rtc_base/logging.h>
#include <system_wrappers/include/clock.h>

#include <memory>
#include <vector>

extern "C" {
#include "player.h"
#include "speech.h"
}

namespace {

constexpr double kSamplesAMs = 8;
constexpr int kPayloadType = 8;

class OnlyAlaw : public webrtc::AudioDecoderFactory {
 public:
  std::vector<webrtc::AudioCodecSpec> GetSupportedDecoders() override { return {}; }
  bool IsSupportedDecoder(const webrtc::SdpAudioFormat& format) override { return format.name == "PCMA"; }
  std::unique_ptr<webrtc::AudioDecoder> MakeAudioDecoder(const webrtc::SdpAudioFormat&,
                                                         absl::optional<webrtc::AudioCodecPairId>) override {
    return std::make_unique<webrtc::AudioDecoderPcmA>(1);
  }
};

struct Call {
  webrtc::SimulatedClock clock{0};
  std::unique_ptr<webrtc::NetEq> neteq;
  webrtc::NetEqLifetimeStatistics before;
  double end_ms = 0;
};

void* Open() {
  rtc::LogMessage::LogToDebug(rtc::LS_NONE);
  auto* call = new Call;
  webrtc::NetEq::Config config;
  config.sample_rate_hz = 8000;
  call->neteq = webrtc::DefaultNetEqFactory().CreateNetEq(config, rtc::make_ref_counted<OnlyAlaw>(), &call->clock);
  call->neteq->RegisterPayloadType(kPayloadType, webrtc::SdpAudioFormat("PCMA", 8000, 1));
  return call;
}

void SetClock(Call* call, double now_ms) {
  const int64_t ahead_us = static_cast<int64_t>(now_ms * 1000) - call->clock.TimeInMicroseconds();
  if (ahead_us > 0) call->clock.AdvanceTimeMicroseconds(ahead_us);
}

void Put(void* self, int packet, double arrived_ms) {
  auto* call = static_cast<Call*>(self);
  SetClock(call, arrived_ms);
  webrtc::RTPHeader header;
  header.payloadType = kPayloadType;
  header.sequenceNumber = static_cast<uint16_t>(packet);
  header.timestamp = static_cast<uint32_t>(packet) * 160;
  header.ssrc = 1;
  call->neteq->InsertPacket(header, rtc::ArrayView<const uint8_t>(speech_packet(packet), 160));
}

// What NetEq counts tells what sounded: media that was made up is concealed; pressing and stretching are media.
void Get(void* self, double now_ms, played* heard) {
  auto* call = static_cast<Call*>(self);
  SetClock(call, now_ms);
  webrtc::AudioFrame frame;
  bool muted = false;
  if (call->neteq->GetAudio(&frame, &muted) != webrtc::NetEq::kOK) return;
  speech_heard(frame.data(), static_cast<int>(frame.samples_per_channel()));
  const auto now = call->neteq->GetLifetimeStatistics();
  const auto& before = call->before;
  const double frame_ms = static_cast<double>(frame.samples_per_channel()) / kSamplesAMs;
  const double concealed_ms = static_cast<double>(static_cast<int64_t>(now.concealed_samples - before.concealed_samples)) / kSamplesAMs;
  const double pressed_ms =
      (static_cast<double>(now.removed_samples_for_acceleration - before.removed_samples_for_acceleration) -
       static_cast<double>(now.inserted_samples_for_deceleration - before.inserted_samples_for_deceleration)) / kSamplesAMs;
  const auto timestamp = call->neteq->GetPlayoutTimestamp();
  call->before = now;
  heard->concealed_ms = concealed_ms < 0 ? 0 : concealed_ms < frame_ms ? concealed_ms : frame_ms;
  heard->length_ms = frame_ms - heard->concealed_ms + pressed_ms;
  if (!timestamp || heard->length_ms <= 0.01) {
    heard->length_ms = 0;
    return;
  }
  heard->media_ms = *timestamp / kSamplesAMs - heard->length_ms;
}

void Close(void* self) { delete static_cast<Call*>(self); }

}  // namespace

extern "C" const player NETEQ = {"neteq", TICK_MS / 2, Open, Put, Get, Close};
