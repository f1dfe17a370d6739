export type MicrophoneFault = 'insecure' | 'denied' | 'none' | 'busy';

/** Why there is no microphone, in one word that the pages translate. */
export function faultOf(error: unknown): MicrophoneFault {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'none' : 'busy';
}

/** Opens the microphone and tells its loudness (0..1) about 15 times a second. Returns how to close it. */
export async function meter(heard: (level: number) => void): Promise<() => void> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: false });
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    // -60 dB … 0 dB → 0 … 1, as the ear hears it.
    heard(Math.min(1, Math.max(0, 1 + Math.log10(Math.max(power, 1e-6)) / 6)));
  }, 66);
  return () => {
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
}
