package org.loranative.train.diffusion;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.diffusion.FlowWeighting;
import org.loranative.diffusion.Mixture;
import org.loranative.diffusion.NoiseChoice;
import org.loranative.diffusion.NoiseDraw;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.diffusion.TrainingNoise;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.ReadBack;
import org.loranative.model.Objective;
import org.loranative.model.diffusion.DenoisingObjective;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.TextReader;
import org.loranative.random.Philox;
import org.loranative.train.BatchShape;
import org.loranative.train.Task;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fine-tuning a diffusion model on captioned images of one size a batch. */
final class DiffusionTask implements Task<ImageBatch> {
  private static final Logger log = LoggerFactory.getLogger(DiffusionTask.class);

  /** Images of one size. */
  private record Images(int count, Buckets.Size size) implements BatchShape {
    @Override
    public String toString() {
      return count + (count == 1 ? " image of " : " images of ") + size;
    }
  }

  private final DiffusionBase base;
  private final TextReader reader;
  private final Adapters adapters;
  private final DType compute;
  private final TrainConfig config;
  private final EncodedImages data;

  /** Whether texts are encoded in each step: encoders are trained, or captions change. */
  private final boolean encodes;

  private final int batchesPerEpoch;
  private final Optional<NoiseReplay> replay;
  private final TrainingNoise noise;
  private final DenoisingObjective objective;

  DiffusionTask(
      DiffusionBase base,
      TextReader reader,
      Adapters adapters,
      DType compute,
      TrainConfig config,
      TrainingNoise noise,
      EncodedImages data) {
    this.base = base;
    this.reader = reader;
    this.adapters = adapters;
    this.compute = compute;
    this.config = config;
    this.data = data;
    encodes = config.shuffleCaption() || DiffusionGraph.trainsText(base, adapters);
    batchesPerEpoch = epoch(0).size();
    replay = TrainConfig.path(config.noiseReplay()).map(NoiseReplay::new);
    replay.ifPresent(this::checkReplay);
    this.noise = noise;
    boolean huber = config.loss().equals("huber");
    objective = new DenoisingObjective(huber ? config.huberC().floatValue() : 0, config.masked());
  }

  /**
   * The noise that a configuration asks for.
   *
   * @throws org.loranative.UserException if a setting has no meaning for the base
   */
  static TrainingNoise noise(TrainConfig config, NoiseProcess process) {
    return process.training(
        new NoiseChoice(
            config.minTimestep(),
            config.maxTimestep(),
            config.minSnrGamma(),
            config.debiasedEstimation(),
            TimestepSampling.named(config.timestepSampling()),
            config.flowShift() > 0 ? OptionalDouble.of(config.flowShift()) : OptionalDouble.empty(),
            FlowWeighting.named(config.lossWeighting()).orElseThrow()));
  }

  private void checkReplay(NoiseReplay replay) {
    long batches =
        config.maxSteps() > 0
            ? (long) config.maxSteps() * config.gradientAccumulation()
            : (long) config.epochs() * batchesPerEpoch;
    for (ImageBatch batch : epoch(0)) {
      DiffusionGraph.Size size = size(batch);
      replay.require(batches, size.images(), base.latentChannels(), size.height(), size.width());
    }
  }

  /**
   * Training images as often as they are repeated, and as many of the regularization images, taken
   * in turn; drawn from the whole; a batch of a size goes out when it is full.
   */
  @Override
  public List<ImageBatch> epoch(int epoch) {
    List<TrainingImage> all = new ArrayList<>();
    for (int i = 0; i < config.repeats(); i++) {
      all.addAll(data.training());
    }
    int general = data.regularization().size();
    int images = all.size();
    for (int i = 0; i < images && general > 0; i++) {
      all.add(data.regularization().get((int) (((long) epoch * images + i) % general)));
    }
    int n = all.size();
    int[] order =
        config.shuffle() ? Philox.permutation(n, config.seed(), Philox.DATA_ORDER, epoch) : null;
    Map<Buckets.Size, List<TrainingImage>> open = new LinkedHashMap<>();
    List<ImageBatch> batches = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      TrainingImage image = all.get(order == null ? i : order[i]);
      List<TrainingImage> waiting = open.computeIfAbsent(image.size(), s -> new ArrayList<>());
      waiting.add(image);
      if (waiting.size() == config.batchSize()) {
        batches.add(new ImageBatch(List.copyOf(waiting), epoch, batches.size()));
        waiting.clear();
      }
    }
    for (List<TrainingImage> rest : open.values()) {
      if (!rest.isEmpty()) {
        batches.add(new ImageBatch(List.copyOf(rest), epoch, batches.size()));
      }
    }
    return batches;
  }

  /** The most device memory that {@link #encode} will take. */
  long encodingBytes() {
    return data.encodingBytes(!encodes);
  }

  /** What it keeps on the heap. */
  long encodedBytes() {
    return data.encodedBytes(!encodes);
  }

  /** Encodes the images, which planning does without. */
  void encode() {
    data.encode(!encodes);
  }

  /** Of held-out images, and of some that are trained on: their gap shows overfitting. */
  @Override
  public List<EvaluationSet<ImageBatch>> evaluationSets() {
    if (replay.isPresent()) {
      return List.of();
    }
    int first = noise.first();
    int end = noise.end();
    List<EvaluationSet<ImageBatch>> all = new ArrayList<>();
    Map<String, List<TrainingImage>> sets = new LinkedHashMap<>();
    sets.put("val", data.validation());
    sets.put("probe", data.training());
    sets.put("swapped", Probe.swapped(data.training()));
    sets.forEach(
        (name, images) ->
            all.addAll(Probe.of(name, images, config.batchSize(), base.noise(), first, end)));
    return all;
  }

  /** Twenty times a run, or less often where that would take more than a twentieth of its time. */
  @Override
  public int measureEvery(int total) {
    double forwards = (data.validation().isEmpty() ? 2 : 3) * Probe.FORWARDS;
    double steps = forwards / 3 / (config.batchSize() * config.gradientAccumulation());
    return (int) Math.max(Math.ceil(total / 20.0), Math.ceil(20 * steps));
  }

  @Override
  public BatchShape shape(ImageBatch batch) {
    return new Images(batch.images().size(), batch.size());
  }

  @Override
  public long labelled(ImageBatch batch) {
    return batch.images().size();
  }

  @Override
  public long units(ImageBatch batch) {
    return batch.images().size();
  }

  @Override
  public String unit() {
    return "images";
  }

  private DiffusionGraph.Size size(ImageBatch batch) {
    int factor = base.latentFactor();
    return new DiffusionGraph.Size(
        batch.images().size(),
        batch.size().height() / factor,
        batch.size().width() / factor,
        base.family().text().tokens());
  }

  @Override
  public Objective<?> objective() {
    return objective;
  }

  @Override
  public List<Record> records(ImageBatch batch) {
    List<Record> records = new ArrayList<>();
    for (int i = 0; i < batch.images().size(); i++) {
      String at = batch.isMeasured() ? " " + base.noise().label(batch.timesteps().get(i)) : "";
      records.add(new Record(batch.images().get(i).file() + at, 1, 1));
    }
    return records;
  }

  @Override
  public Optional<String> item(String record, int item) {
    return Optional.empty();
  }

  @Override
  public Map<String, Object> facts() {
    return data.facts();
  }

  @Override
  public Graph trainingGraph(ImageBatch batch) {
    return DiffusionGraph.training(
        base, adapters, compute, size(batch), encodes, config.clipSkip(), objective);
  }

  @Override
  public Graph evaluationGraph(ImageBatch batch) {
    return DiffusionGraph.evaluation(
        base, adapters, compute, size(batch), encodes, config.clipSkip(), objective);
  }

  /** Draws timesteps, noise and crops, each a function of the seed and the batch's place. */
  @Override
  public void fill(ImageBatch batch, Function<String, ByteBuffer> inputs) {
    FloatBuffer latents = inputs.apply(DiffusionGraph.LATENTS).asFloatBuffer();
    FloatBuffer target = inputs.apply(DiffusionGraph.TARGET).asFloatBuffer();
    FloatBuffer timesteps = inputs.apply(DiffusionGraph.TIMESTEPS).asFloatBuffer();
    FloatBuffer weights = inputs.apply(DiffusionGraph.WEIGHTS).asFloatBuffer();
    List<String> captions = new ArrayList<>();
    int n = batch.images().size();
    DiffusionGraph.Size size = size(batch);
    int each = size.height() * size.width() * base.latentChannels();
    float[] drawn = noise(batch, size);
    float[] posterior =
        Philox.normals(n * each, config.seed(), Philox.POSTERIOR, batch.epoch(), batch.index());
    for (int i = 0; i < n; i++) {
      TrainingImage image = batch.images().get(i);
      int[] words = words(batch, i, Philox.TIMESTEP);
      double t = timestep(batch, i, words);
      EncodedCrop crop = crop(batch, i);
      Mixture mixture = base.noise().at(t);
      for (int k = 0; k < each; k++) {
        int at = i * each + k;
        double latent = replay.isPresent() ? crop.mean(k) : crop.latent(k, posterior[at]);
        double clean = base.normalized(latent);
        latents.put(at, mixture.shown(clean, drawn[at]));
        target.put(at, mixture.target(clean, drawn[at]));
      }
      timesteps.put(i, (float) t);
      weights.put(i, (float) (image.weight() * noise.weight(t)));
      boolean silent = !batch.isMeasured() && Philox.uniform(words[1]) < config.captionDropout();
      captions.add(silent ? "" : caption(batch, i));
      put(base.family().denoiser().told(crop.framing(), config.guidanceEmbed()), i, inputs);
      if (objective.masked()) {
        put(Map.of(DenoisingObjective.MASK, learnt(crop, size)), i, inputs);
      }
    }
    texts(captions, inputs);
  }

  /** How much each place of a crop counts: its mask, but nowhere less than what is set. */
  private float[] learnt(EncodedCrop crop, DiffusionGraph.Size size) {
    float least = config.unmaskedWeight().floatValue();
    float[] counts = new float[size.height() * size.width()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = Math.max(least, crop.share(i));
    }
    return counts;
  }

  private int[] words(ImageBatch batch, int image, int stream) {
    return Philox.words(config.seed(), image, stream, batch.epoch(), batch.index());
  }

  private double timestep(ImageBatch batch, int image, int[] words) {
    if (batch.isMeasured()) {
      return batch.timesteps().get(image);
    }
    if (replay.isPresent()) {
      return replay.get().timestep(row(batch), image, base.noise());
    }
    DiffusionGraph.Size size = size(batch);
    long latents = (long) size.height() * size.width();
    return noise.draw(Philox.uniform(words[0]), Philox.uniform(words[2]), latents);
  }

  private float[] noise(ImageBatch batch, DiffusionGraph.Size size) {
    if (replay.isPresent()) {
      return replay.get().noise(row(batch), size.images());
    }
    NoiseDraw draw =
        new NoiseDraw(
            config.seed(),
            config.noiseOffset(),
            config.multiresNoiseIterations(),
            config.multiresNoiseDiscount());
    return draw.draw(
        size.images(),
        size.height(),
        size.width(),
        base.latentChannels(),
        batch.epoch(),
        batch.index());
  }

  /** How many batches were before. */
  private int row(ImageBatch batch) {
    return batch.epoch() * batchesPerEpoch + batch.index();
  }

  private EncodedCrop crop(ImageBatch batch, int image) {
    List<EncodedCrop> crops = data.crops(batch.images().get(image));
    float u = batch.isMeasured() ? 0 : Philox.uniform(words(batch, image, Philox.VARIANT)[0]);
    return crops.get((int) (u * crops.size()));
  }

  /** The caption, its parts behind the first keep_tokens in another order each time. */
  private String caption(ImageBatch batch, int image) {
    String caption = batch.images().get(image).caption();
    if (!config.shuffleCaption() || batch.isMeasured()) {
      return caption;
    }
    List<String> parts = new ArrayList<>(List.of(caption.split("\\s*,\\s*")));
    for (int i = parts.size() - 1; i > config.keepTokens(); i--) {
      int[] words =
          Philox.words(
              config.seed(), image << 16 | i, Philox.CAPTION, batch.epoch(), batch.index());
      int from = config.keepTokens();
      Collections.swap(parts, i, from + (int) (Philox.uniform(words[0]) * (i - from + 1)));
    }
    return String.join(", ", parts);
  }

  /** The captions as tokens where the encoders run in the step, else as conditions. */
  private void texts(List<String> captions, Function<String, ByteBuffer> inputs) {
    putAll(reader.told(captions), inputs);
    if (encodes) {
      putAll(reader.first(captions).inputs(), inputs);
      return;
    }
    for (int i = 0; i < captions.size(); i++) {
      put(data.text(captions.get(i)), i, inputs);
    }
  }

  private static void putAll(Map<String, int[]> numbers, Function<String, ByteBuffer> inputs) {
    numbers.forEach((name, all) -> inputs.apply(name).asIntBuffer().put(all));
  }

  /** An image's own numbers, into its place in the batch. */
  private static void put(
      Map<String, float[]> numbers, int image, Function<String, ByteBuffer> inputs) {
    numbers.forEach((name, own) -> inputs.apply(name).asFloatBuffer().put(image * own.length, own));
  }

  @Override
  public String fingerprint() {
    return data.fingerprint();
  }

  @Override
  public Path export(Path folder, Numbers params) throws IOException {
    Map<String, AdaptedLayer> modules = new LinkedHashMap<>();
    for (Adapters.Module m : adapters.modules()) {
      AdaptedLayer layer = AdaptedLayer.of(m, params, base.isConvolution(m.path()));
      modules.put(m.path(), layer.method().exported(layer));
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("ss_output_name", config.outputName());
    metadata.put("ss_sd_model_name", config.baseModel());
    metadata.putAll(base.family().metadata());
    if (config.zeroSnr()) {
      metadata.put("ss_zero_terminal_snr", "True");
    }
    if (config.clipSkip() > 0) {
      metadata.put("ss_clip_skip", String.valueOf(config.clipSkip() + 1)); // as kohya counts
    }
    metadata.put("ss_learning_rate", String.valueOf(config.learningRate()));
    metadata.put("ss_num_train_images", String.valueOf(data.training().size()));
    metadata.put("ss_resolution", config.resolution() + "," + config.resolution());
    metadata.put("ss_seed", String.valueOf(config.seed()));
    Path file = folder.resolve(config.outputName() + ".safetensors");
    LoraFiles.Format format =
        LoraFiles.Format.valueOf(config.exportFormat().toUpperCase(Locale.ROOT));
    LoraFiles.write(file, format, modules, base.layers(), metadata);
    return file;
  }

  @Override
  public Path finish(Path outputDir, Numbers params) throws IOException {
    Path file = export(outputDir, params);
    ReadBack.require(file, LoraFiles.read(file, base.layers()), adapters, params);
    log.info("{}: read back, as it was trained", file);
    return file;
  }

  @Override
  public String smallerBatch(double share) {
    int batch = (int) (config.batchSize() * share);
    if (batch >= 1) {
      return String.format(
          "batch_size: %d with gradient_accumulation: %d",
          batch, config.gradientAccumulation() * ((config.batchSize() + batch - 1) / batch));
    }
    int side = (int) (config.resolution() * Math.sqrt(config.batchSize() * share)) / 64 * 64;
    return String.format("batch_size: 1 with resolution: %d", Math.max(64, side));
  }
}
