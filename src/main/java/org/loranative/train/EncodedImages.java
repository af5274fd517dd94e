package org.loranative.train;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.data.sd.Captioned;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.model.Weights;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.TextRows;
import org.loranative.text.ClipTokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training images, encoded once before training: latents by the VAE, captions by the text
 * encoders, which are loaded for it and freed again.
 *
 * @param texts the state of each caption and of none, unless the steps encode them themselves
 * @param fingerprint of images, captions and sizes
 */
record EncodedImages(List<EncodedImage> images, Map<String, TextState> texts, String fingerprint) {
  private static final Logger log = LoggerFactory.getLogger(EncodedImages.class);
  private static final int BUCKET_STEP = 64;
  private static final int SHOWN = 5;

  /**
   * @param withTexts whether captions are encoded too
   */
  static EncodedImages of(
      TrainConfig config,
      DiffusionBase base,
      List<ClipTokenizer> tokenizers,
      boolean withTexts,
      Device device,
      DType compute) {
    Path path =
        Path.of(config.metadataPath().isEmpty() ? config.trainDataDir() : config.metadataPath());
    Captioned.Found found = Captioned.read(path);
    if (found.images().isEmpty()) {
      throw new UserException(
          path
              + " holds no captioned image: a metadata.csv with filename and prompt, a"
              + " metadata.jsonl, or a .txt file beside each image is expected.");
    }
    report(found);
    Encoder encoder = new Encoder(config, base, tokenizers, withTexts, device, compute);
    return encoder.encode(found.images());
  }

  private static void report(Captioned.Found found) {
    List<Path> without = found.withoutCaption();
    if (without.isEmpty()) {
      log.info("data: {} images with captions", found.images().size());
    } else {
      log.warn(
          "data: {} images with captions; {} without are left out: {}{}",
          found.images().size(),
          without.size(),
          without.subList(0, Math.min(SHOWN, without.size())),
          without.size() > SHOWN ? " …" : "");
    }
    long captions = found.images().stream().map(Captioned::caption).distinct().count();
    if (captions == 1 && found.images().size() > 1) {
      log.warn("data: all captions are the same; the model cannot tell the images apart by text.");
    }
  }

  /**
   * An image brought to its size.
   *
   * @param told to SDXL, see {@link EncodedImage#sizes}
   */
  private record Cut(Picture picture, Buckets.Size size, float[] told) {
    Cut(Picture whole, Buckets.Size size) {
      this(
          whole.covering(size.width(), size.height()),
          size,
          new float[] {whole.height(), whole.width(), 0, 0, size.height(), size.width()});
    }
  }

  /** What is open while images are encoded. */
  private static final class Encoder {
    private final TrainConfig config;
    private final DiffusionBase base;
    private final List<ClipTokenizer> tokenizers;
    private final boolean withTexts;
    private final Device device;
    private final DType compute;
    private final DType vae;
    private final Map<String, TextState> texts = new HashMap<>();

    Encoder(
        TrainConfig config,
        DiffusionBase base,
        List<ClipTokenizer> tokenizers,
        boolean withTexts,
        Device device,
        DType compute) {
      this.config = config;
      this.base = base;
      this.tokenizers = tokenizers;
      this.withTexts = withTexts;
      this.device = device;
      this.compute = compute;
      this.vae = Painter.vaeDtype(compute);
    }

    EncodedImages encode(List<Captioned> captioned) {
      long start = System.nanoTime();
      int resolution = config.resolution();
      if (resolution % base.latentFactor() != 0 || resolution < 2 * base.latentFactor()) {
        throw new UserException(
            "resolution is "
                + resolution
                + ", but this model needs a multiple of "
                + base.latentFactor()
                + ".");
      }
      Graph textGraph = DiffusionGraph.texts(base, Adapters.none(), compute, 1, 0);
      int side = 2 * base.latentFactor();
      Graph encoder = DiffusionGraph.encoder(base, vae, 1, side, side);
      try (Weights.Loaded weights =
              base.weights()
                  .load(
                      Weights.of(withTexts ? List.of(textGraph, encoder) : List.of(encoder)),
                      device);
          AdapterState none = new AdapterState(device, Adapters.none(), false);
          Placement placement = new Placement(device, weights, none, Map.of())) {
        List<EncodedImage> images = encode(captioned, textGraph, placement);
        log.info(
            "data: encoded in {} s; sizes {}",
            String.format("%.1f", (System.nanoTime() - start) / 1e9),
            images.stream().map(EncodedImage::size).distinct().toList());
        return new EncodedImages(images, texts, fingerprint(captioned));
      }
    }

    private List<EncodedImage> encode(
        List<Captioned> captioned, Graph textGraph, Placement placement) {
      captioned.stream().map(Captioned::caption).distinct().forEach(this::warnIfCut);
      if (withTexts) {
        try (Session session = new Session(device, textGraph, placement)) {
          text("", session);
          captioned.forEach(c -> text(c.caption(), session));
        }
      }
      Buckets buckets = new Buckets(config.resolution(), BUCKET_STEP);
      EncodedImage[] images = new EncodedImage[captioned.size()];
      Map<Buckets.Size, List<Integer>> bySize = new HashMap<>();
      List<Cut> cuts = new ArrayList<>(); // not what was decoded: photographs are large
      for (int i = 0; i < captioned.size(); i++) {
        Picture picture = Picture.read(captioned.get(i).file());
        Buckets.Size size = buckets.nearest(picture.width(), picture.height());
        cuts.add(new Cut(picture, size));
        bySize.computeIfAbsent(size, s -> new ArrayList<>()).add(i);
      }
      bySize.forEach(
          (size, members) -> {
            Graph graph = DiffusionGraph.encoder(base, vae, 1, size.height(), size.width());
            try (Session session = new Session(device, graph, placement)) {
              for (int i : members) {
                images[i] = image(captioned.get(i), cuts.get(i), session);
              }
            }
          });
      return List.of(images);
    }

    private void warnIfCut(String caption) {
      int most = base.textTokens() - 2;
      if (tokenizers.get(0).tokens(caption).length > most) {
        log.warn("a caption has more than {} tokens and is cut: {}", most, caption);
      }
    }

    private void text(String caption, Session session) {
      if (texts.containsKey(caption)) {
        return;
      }
      Map<String, float[]> states =
          session.run(TextRows.first(base, tokenizers, List.of(caption)).inputs());
      texts.put(
          caption,
          new TextState(
              states.get(DiffusionGraph.TEXT),
              states.getOrDefault(DiffusionGraph.POOLED, new float[0])));
    }

    private EncodedImage image(Captioned c, Cut cut, Session session) {
      float[] moments =
          session.run(Map.of(DiffusionGraph.IMAGE, cut.picture().signed())).get("moments");
      return new EncodedImage(
          c.file(), cut.size(), moments, base.latentChannels(), c.caption(), cut.told());
    }

    private String fingerprint(List<Captioned> captioned) {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(String.valueOf(config.resolution()).getBytes(StandardCharsets.UTF_8));
        for (Captioned c : captioned) {
          digest.update(Files.readAllBytes(c.file()));
          digest.update(c.caption().getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      } catch (IOException e) {
        throw new UserException("An image cannot be read: " + e.getMessage(), e);
      }
    }
  }
}
