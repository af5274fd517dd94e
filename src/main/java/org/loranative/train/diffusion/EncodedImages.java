package org.loranative.train.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.data.sd.PreparedImage;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.image.Crop;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Weights;
import org.loranative.track.Phase;
import org.loranative.train.Task;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images of a run: their sizes and captions are known from the start; {@link #encode} makes
 * latents by the VAE and states of captions by the text encoders, which are loaded for what the
 * cache lacks and freed again.
 */
final class EncodedImages {
  private static final Logger log = LoggerFactory.getLogger(EncodedImages.class);

  /** Characters of a caption in a warning. */
  private static final int MOST_SHOWN = 80;

  private final ImageData data;
  private final List<TrainingImage> training;
  private final List<TrainingImage> regularization;
  private final List<TrainingImage> validation;
  private final Encoder encoder;
  private final EncodedMasks masks;
  private final Map<PreparedImage, List<EncodedCrop>> crops = new HashMap<>();
  private final Map<String, Map<String, float[]>> texts = new HashMap<>();

  EncodedImages(
      TrainConfig config, DiffusionBase base, TextReader reader, Device device, DType compute) {
    data = ImageData.of(config, base.imageStep());
    encoder = new Encoder(config, base, reader, device, compute, data.cache());
    masks = new EncodedMasks(encoder.cache, base.latentFactor());
    training = data.training().stream().map(i -> new TrainingImage(i, 1)).toList();
    validation = data.validation().stream().map(i -> new TrainingImage(i, 1)).toList();
    double weight = config.priorLossWeight();
    regularization = data.regularization().stream().map(i -> new TrainingImage(i, weight)).toList();
  }

  List<TrainingImage> training() {
    return training;
  }

  /** Images of the class in general. */
  List<TrainingImage> regularization() {
    return regularization;
  }

  /** Images that are only measured. */
  List<TrainingImage> validation() {
    return validation;
  }

  /** See {@link Task#facts}. */
  Map<String, Object> facts() {
    return data.facts();
  }

  /**
   * Encodes everything, once, before the first step.
   *
   * @param withTexts whether captions are encoded too: unless the steps encode them themselves
   */
  void encode(boolean withTexts) {
    long start = System.nanoTime();
    Set<String> captions = captions();
    captions.forEach(encoder::warnIfCut);
    Encoder.Made made = encoder.encode(data.all(), withTexts ? captions : Set.of());
    masks.encode(data.all());
    data.all().forEach(i -> crops.put(i, crops(i, made.moments().get(i))));
    texts.putAll(made.texts());
    log.info(
        "data: {} of {} images{} encoded in {} s{}{}; sizes {}",
        made.newImages(),
        data.all().size(),
        withTexts ? String.format(" and %d of %d captions", made.newTexts(), captions.size()) : "",
        String.format("%.1f", (System.nanoTime() - start) / 1e9),
        data.cache().map(c -> " (kept in " + c + ")").orElse(""),
        withTexts ? "" : "; each step encodes its captions",
        data.all().stream().map(PreparedImage::size).distinct().toList());
  }

  /** The most device memory that {@link #encode} will take: for what is not encoded yet. */
  long encodingBytes(boolean withTexts) {
    return encoder.bytes(data.all(), withTexts ? captions() : Set.of());
  }

  /** Bytes of all encodings, which stay on the heap. */
  long encodedBytes(boolean withTexts) {
    int factor = encoder.base.latentFactor();
    long numbers = 0;
    for (PreparedImage image : data.all()) {
      int each = 2 * encoder.base.latentChannels() + (image.mask().isPresent() ? 1 : 0);
      Buckets.Size size = image.size();
      numbers += (long) image.crops().size() * size.width() * size.height() * each;
    }
    long text = encoder.textGraph.results().stream().mapToLong(Value::bytes).sum();
    return 4L * numbers / factor / factor + (withTexts ? text * captions().size() : 0);
  }

  /** All captions, and none, which dropout shows. */
  private Set<String> captions() {
    Set<String> captions = new LinkedHashSet<>(List.of(""));
    data.all().forEach(i -> captions.add(i.captioned().caption()));
    return captions;
  }

  private List<EncodedCrop> crops(PreparedImage image, Map<String, float[]> moments) {
    List<EncodedCrop> encoded = new ArrayList<>();
    for (Crop crop : image.crops()) {
      Framing framing =
          new Framing(
              image.facts().height(),
              image.facts().width(),
              crop.top(),
              crop.left(),
              crop.height(),
              crop.width());
      float[] own = moments.get(Encoder.name(encoded.size()));
      float[] mask = masks.of(image, encoded.size());
      encoded.add(new EncodedCrop(own, encoder.base.latentChannels(), framing, mask));
    }
    return encoded;
  }

  /** The crops of an image, of which each batch draws one. */
  List<EncodedCrop> crops(TrainingImage image) {
    assert crops.containsKey(image.prepared()) : "not encoded yet";
    return crops.get(image.prepared());
  }

  /** The conditions of a caption, or of none, by name. */
  Map<String, float[]> text(String caption) {
    assert texts.containsKey(caption) : "not encoded yet";
    return texts.get(caption);
  }

  /** Of images, captions and sizes. */
  String fingerprint() {
    List<Object> parts = new ArrayList<>();
    for (PreparedImage image : data.all()) {
      parts.add(image.facts().sha256());
      parts.add(image.captioned().caption());
      parts.add(image.crops());
      image.mask().ifPresent(m -> parts.add(m.sha256() + m.opacity()));
    }
    parts.add(data.training().size());
    parts.add(encoder.config.repeats());
    return EncodingCache.key(parts.toArray());
  }

  /** What encodes. */
  private static final class Encoder {
    private final TrainConfig config;
    private final DiffusionBase base;
    private final TextReader reader;
    private final Device device;
    private final DType compute;
    private final DType vae;
    private final EncodingCache cache;
    private final Graph textGraph;
    private final Map<String, Value> textWeights;
    private final Map<String, Value> vaeWeights;
    private String textKey = "";
    private String vaeKey = "";
    private final Map<PreparedImage, Map<String, float[]>> latents = new HashMap<>();
    private final Map<String, Map<String, float[]>> texts = new HashMap<>();

    /** The moments of each image's crops and the states of texts, and how many are new. */
    record Made(
        Map<PreparedImage, Map<String, float[]>> moments,
        Map<String, Map<String, float[]>> texts,
        int newImages,
        int newTexts) {}

    Encoder(
        TrainConfig config,
        DiffusionBase base,
        TextReader reader,
        Device device,
        DType compute,
        Optional<Path> cache) {
      this.config = config;
      this.base = base;
      this.reader = reader;
      this.device = device;
      this.compute = compute;
      this.cache = new EncodingCache(cache);
      vae = Painter.vaeDtype(compute);
      textGraph = DiffusionGraph.texts(base, Adapters.none(), compute, 1, config.clipSkip());
      textWeights = Weights.of(List.of(textGraph));
      int side = 2 * base.latentFactor();
      vaeWeights = Weights.of(List.of(DiffusionGraph.encoder(base, vae, 1, side, side)));
    }

    /** Of the weights and the largest plan of what is not kept yet. */
    long bytes(List<PreparedImage> all, Set<String> captions) {
      textKey = base.weights().fingerprint(textWeights);
      vaeKey = base.weights().fingerprint(vaeWeights);
      boolean texts = captions.stream().anyMatch(c -> !cache.has(key(c)));
      Set<Buckets.Size> sizes = new LinkedHashSet<>();
      all.stream().filter(i -> !cache.has(key(i))).forEach(i -> sizes.add(i.size()));
      Map<String, Value> needed = needed(!sizes.isEmpty(), texts);
      long arena = texts ? Planner.plan(textGraph, device).arenaBytes() : 0;
      for (Buckets.Size size : sizes) {
        arena = Math.max(arena, Planner.plan(vaeGraph(size), device).arenaBytes());
      }
      return base.weights().bytesToAllocate(needed, device)
          + base.weights().bytesMapped(needed, device)
          + arena;
    }

    private Map<String, Value> needed(boolean images, boolean texts) {
      Map<String, Value> needed = new LinkedHashMap<>();
      needed.putAll(images ? vaeWeights : Map.of());
      needed.putAll(texts ? textWeights : Map.of());
      return needed;
    }

    private Graph vaeGraph(Buckets.Size size) {
      return DiffusionGraph.encoder(base, vae, 1, size.height(), size.width());
    }

    Made encode(List<PreparedImage> all, Set<String> captions) {
      textKey = base.weights().fingerprint(textWeights);
      vaeKey = base.weights().fingerprint(vaeWeights);
      List<PreparedImage> images = new ArrayList<>();
      for (PreparedImage image : all) {
        Optional<Map<String, float[]>> known = cache.find(key(image));
        known.ifPresentOrElse(x -> latents.put(image, x), () -> images.add(image));
      }
      List<String> newTexts = new ArrayList<>();
      for (String caption : captions) {
        Optional<Map<String, float[]>> known = cache.find(key(caption));
        known.ifPresentOrElse(x -> texts.put(caption, x), () -> newTexts.add(caption));
      }
      compute(images, newTexts);
      return new Made(latents, texts, images.size(), newTexts.size());
    }

    private String key(PreparedImage image) {
      return EncodingCache.key(
          "latents", vaeKey, vae, image.facts().sha256(), image.crops(), config.background());
    }

    private String key(String caption) {
      String skipped = config.clipSkip() == 0 ? "" : " without " + config.clipSkip();
      return EncodingCache.key("text", textKey, dtypes() + skipped, tokens(caption));
    }

    /** What the texts' numbers depend on beside their weights: they are held in blocks, or not. */
    private String dtypes() {
      return Stream.concat(
              Stream.of(compute),
              textWeights.values().stream().map(Value::dtype).filter(DType::isBlocks))
          .distinct()
          .map(DType::toString)
          .collect(Collectors.joining(" "));
    }

    /** The caption as ids: what its state depends on. */
    private String tokens(String caption) {
      StringBuilder all = new StringBuilder();
      reader.first(List.of(caption)).inputs().entrySet().stream()
          .filter(e -> e.getKey().endsWith("ids"))
          .sorted(Map.Entry.comparingByKey())
          .forEach(e -> all.append(java.util.Arrays.toString(e.getValue())));
      return all.toString();
    }

    private void compute(List<PreparedImage> images, List<String> captions) {
      Map<String, Value> needed = needed(!images.isEmpty(), !captions.isEmpty());
      if (needed.isEmpty()) {
        return;
      }
      try (LoadedWeights weights = base.weights().load(needed, device);
          AdapterState none = new AdapterState(device, Adapters.none(), compute);
          Placement placement =
              new Placement(device, weights, none, base.family().text().constants())) {
        if (!captions.isEmpty()) {
          try (Session session = new Session(device, textGraph, placement, Optional.empty())) {
            Phase phase = new Phase("captions encoded", captions.size());
            captions.forEach(
                c -> {
                  phase.next();
                  text(c, session);
                });
            phase.end();
          }
        }
        Map<Buckets.Size, List<PreparedImage>> bySize = new LinkedHashMap<>();
        images.forEach(i -> bySize.computeIfAbsent(i.size(), s -> new ArrayList<>()).add(i));
        Phase phase = new Phase("images encoded", images.size());
        bySize.forEach(
            (size, members) -> {
              try (Session session =
                  new Session(device, vaeGraph(size), placement, Optional.empty())) {
                members.forEach(
                    i -> {
                      phase.next();
                      image(i, session);
                    });
              }
            });
        phase.end();
      }
    }

    void warnIfCut(String caption) {
      reader
          .cutAt(caption)
          .ifPresent(
              most ->
                  log.warn(
                      "a caption has more than {} tokens and is cut: {}", most, start(caption)));
    }

    /** As much of it as tells which one it is. */
    private static String start(String caption) {
      return caption.codePointCount(0, caption.length()) > MOST_SHOWN
          ? caption.substring(0, caption.offsetByCodePoints(0, MOST_SHOWN)) + "…"
          : caption;
    }

    private void text(String caption, Session session) {
      Map<String, float[]> states = session.run(reader.first(List.of(caption)).inputs());
      texts.put(caption, states);
      cache.put(key(caption), states);
    }

    private void image(PreparedImage image, Session session) {
      Map<String, float[]> variants = new LinkedHashMap<>();
      for (Picture picture : image.pictures()) {
        Map<String, float[]> one = session.run(Map.of(DiffusionGraph.IMAGE, picture.signed()));
        variants.put(name(variants.size()), one.get("moments"));
      }
      latents.put(image, variants);
      cache.put(key(image), variants);
    }

    static String name(int crop) {
      return "moments." + crop;
    }
  }
}
