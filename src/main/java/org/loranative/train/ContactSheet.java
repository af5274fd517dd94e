package org.loranative.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.image.Picture;

/**
 * Previews over time on one sheet, from the files of {@code samples/}, so that it outlives runs.
 */
final class ContactSheet {
  private static final String NAME = "contact-sheet.png";
  private static final Pattern PREVIEW = Pattern.compile("(\\d+)-(\\d+)\\.png");
  private static final int COLUMNS = 8;
  private static final int SIDE = 256;
  private static final int GAP = 4;
  private static final int LABEL = 16;

  /** Digits of 3 × 5 dots, a row in three bits: no font is needed, which servers may lack. */
  private static final int[] DIGITS = {
    0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
    0b111100111001111, 0b111100111101111, 0b111001010010010, 0b111101111101111, 0b111101111001111
  };

  private ContactSheet() {}

  /** At most eight steps, evenly spaced, the first and the last among them. */
  static void write(Path samples) throws IOException {
    SortedMap<Integer, SortedMap<Integer, Path>> byStep = new TreeMap<>();
    TreeSet<Integer> prompts = new TreeSet<>();
    try (Stream<Path> files = Files.list(samples)) {
      files.forEach(
          f -> {
            Matcher m = PREVIEW.matcher(f.getFileName().toString());
            if (m.matches()) {
              int prompt = Integer.parseInt(m.group(2));
              prompts.add(prompt);
              byStep
                  .computeIfAbsent(Integer.parseInt(m.group(1)), s -> new TreeMap<>())
                  .put(prompt, f);
            }
          });
    }
    List<Integer> steps = spread(new ArrayList<>(byStep.keySet()));
    int width = steps.size() * (SIDE + GAP) + GAP;
    int height = LABEL + prompts.size() * (SIDE + GAP) + GAP;
    float[] rgb = new float[width * height * 3];
    java.util.Arrays.fill(rgb, 1);
    for (int column = 0; column < steps.size(); column++) {
      int left = GAP + column * (SIDE + GAP);
      label(rgb, width, left, steps.get(column));
      int row = 0;
      for (int prompt : prompts) {
        Path file = byStep.get(steps.get(column)).get(prompt);
        if (file != null) {
          place(rgb, width, Picture.read(file), left, LABEL + GAP + row * (SIDE + GAP));
        }
        row++;
      }
    }
    new Picture(width, height, rgb).writePng(samples.resolve(NAME));
  }

  private static List<Integer> spread(List<Integer> steps) {
    if (steps.size() <= COLUMNS) {
      return steps;
    }
    List<Integer> some = new ArrayList<>();
    for (int i = 0; i < COLUMNS; i++) {
      some.add(steps.get(Math.round((float) i * (steps.size() - 1) / (COLUMNS - 1))));
    }
    return some;
  }

  /** The whole picture, as large as the cell allows. */
  private static void place(float[] rgb, int width, Picture p, int left, int top) {
    double scale = (double) SIDE / Math.max(p.width(), p.height());
    int wide = Math.max(1, (int) Math.round(p.width() * scale));
    int high = Math.max(1, (int) Math.round(p.height() * scale));
    Picture small = p.covering(wide, high);
    for (int y = 0; y < high; y++) {
      int to = ((top + y + (SIDE - high) / 2) * width + left + (SIDE - wide) / 2) * 3;
      System.arraycopy(small.rgb(), y * wide * 3, rgb, to, wide * 3);
    }
  }

  private static void label(float[] rgb, int width, int left, int step) {
    String text = String.valueOf(step);
    for (int i = 0; i < text.length(); i++) {
      int dots = DIGITS[text.charAt(i) - '0'];
      for (int dot = 0; dot < 15 * 4; dot++) {
        int cell = dot / 4;
        if ((dots >> 14 - cell & 1) == 1) {
          int x = left + i * 8 + cell % 3 * 2 + dot % 2;
          int y = GAP + cell / 3 * 2 + dot / 2 % 2;
          java.util.Arrays.fill(rgb, (y * width + x) * 3, (y * width + x) * 3 + 3, 0);
        }
      }
    }
  }
}
