package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.track.DataFacts;
import org.loranative.track.TensorBoard;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What charts show, read off the files that they are saved as. */
class ChartsPageTest extends InBrowser {
  @TempDir private Path downloads;

  /** A line of a saved chart. */
  private record Point(String run, String tag, long step, double x, String value, String low) {}

  private byte[] saved(String chart, String kind) throws IOException {
    browser.executeCdpCommand(
        "Browser.setDownloadBehavior",
        Map.of("behavior", "allow", "downloadPath", downloads.toString()));
    String name =
        chart.replaceAll("[^\\w.-]+", "-") + "." + kind.toLowerCase(java.util.Locale.ROOT);
    Path file = downloads.resolve(name);
    Files.deleteIfExists(file);
    WebElement button =
        browser.findElement(By.cssSelector("[aria-label='Save " + chart + " as " + kind + "']"));
    new Actions(browser).moveToElement(button).perform(); // the menu is there on the card
    button.click();
    // The browser holds the name with an empty file until the download is whole.
    until(kind + " is saved", () -> file.toFile().length() > 0);
    return Files.readAllBytes(file);
  }

  private List<Point> points(String chart) throws IOException {
    List<Point> points = new ArrayList<>();
    for (String line : new String(saved(chart, "CSV"), StandardCharsets.UTF_8).split("\n")) {
      String[] c = line.replace("\"", "").split(",", -1);
      if (!c[0].equals("run")) {
        long step = Long.parseLong(c[2]);
        double x = c[3].equals("null") ? Double.NaN : Double.parseDouble(c[3]);
        points.add(new Point(c[0], c[1], step, x, c[4], c[5]));
      }
    }
    return points;
  }

  private static Document xml(byte[] svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg));
  }

  private static List<Element> elements(Document document, String name) {
    NodeList all = document.getElementsByTagName(name);
    return IntStream.range(0, all.getLength()).mapToObj(i -> (Element) all.item(i)).toList();
  }

  /** PNG, SVG and CSV of what is shown, whatever the runs are called. */
  @Test
  void savesAChartAsItIsShown() throws Exception {
    String odd = "a <b>&\"odd\" 名";
    WrittenRuns.session(folder, odd, 1_700_000_000, 1, 40);
    openBoard();
    screen(1440, 1000, false);
    load("#smooth=0");
    until("drawn", () -> !all(".plot[data-curves]").isEmpty());
    List<Point> points = points("Loss");
    List<Point> train = points.stream().filter(p -> p.tag().equals("Loss/train")).toList();
    assertThat(train).hasSize(40);
    for (Point p : train) {
      assertThat(Double.parseDouble(p.value())).isEqualTo(10 - p.step() / 10.0);
      assertThat(p.x()).isEqualTo(p.step());
    }
    assertThat(points.stream().filter(p -> p.tag().equals("Loss/val")).map(Point::step))
        .containsExactly(10L, 20L, 30L, 40L);
    // What is zoomed into is what is saved.
    load("#smooth=0&range=11~20");
    until("drawn", () -> js("document.querySelector('.plot').dataset.max").equals("20"));
    assertThat(points("Loss").stream().filter(p -> p.tag().equals("Loss/train")).map(Point::step))
        .containsExactlyElementsOf(IntStream.rangeClosed(11, 20).mapToObj(i -> (long) i).toList());

    Document svg = xml(saved("Loss", "SVG"));
    List<Element> texts = elements(svg, "text");
    assertThat(texts.stream().map(Element::getTextContent))
        .contains("Loss", odd + " (training)", odd + " (validation)", "step");
    for (Element text : texts) {
      double x = Double.parseDouble(text.getAttribute("x"));
      double y = Double.parseDouble(text.getAttribute("y"));
      assertThat(x > 60 && y > 22 && y < 384).as("no word lies over the curves").isFalse();
    }
    BufferedImage png = ImageIO.read(new ByteArrayInputStream(saved("Loss", "PNG")));
    assertThat(png.getWidth()).isEqualTo(1920);
    long coloured =
        IntStream.range(0, png.getWidth() * 800)
            .map(i -> png.getRGB(i % png.getWidth(), i / png.getWidth()))
            .filter(c -> Math.abs((c >> 16 & 255) - (c & 255)) > 60)
            .count();
    assertThat(coloured).as("the curve").isGreaterThan(1000);
    noErrors();
  }

  /** Each axis at the value that a run's numbers give, also behind a pause of a day. */
  @Test
  void axesAreRightAcrossResumes() throws IOException {
    WrittenRuns.session(folder, "paused", 1_700_000_000, 1, 20);
    WrittenRuns.session(folder, "paused", 1_700_100_000, 21, 40);
    try (TensorBoard board = new TensorBoard(folder.resolve("paused/logs"), 41)) {
      board.hyperparameters(
          Map.of(
              "batch_size",
              4,
              "gradient_accumulation",
              2,
              DataFacts.RECORDS,
              80,
              "task_type",
              "llm"),
          List.of());
    }
    WrittenRuns.session(folder, "silent", 1_700_000_000, 1, 40);
    openBoard();
    screen(1440, 1000, false);
    loadCharts("#smooth=0");
    Map<String, Double> atStep40 =
        Map.of("step", 40.0, "time", 4.0, "tokens", 40 * 36_000.0, "samples", 320.0, "epochs", 4.0);
    for (Map.Entry<String, Double> axis : new TreeMap<>(atStep40).entrySet()) {
      choose("#axis", axis.getKey());
      double last = axis.getValue();
      until(axis.getKey(), () -> Math.abs(range()[1] - last) < last * 1e-4);
      List<Point> points = points("Loss").stream().filter(p -> p.run().equals("paused")).toList();
      for (Point p : points) { // validation stands where training stands at the same step
        assertThat(p.x()).isCloseTo(last * p.step() / 40, within(last * 1e-4));
      }
      assertThat(points).hasSize(44);
      boolean alike = List.of("step", "time", "tokens").contains(axis.getKey());
      assertThat(all("#grid .card .hint").get(0).getText())
          .isEqualTo(alike ? "" : "2 without " + axis.getKey());
    }
    noErrors();
  }

  private static org.assertj.core.data.Offset<Double> within(double by) {
    return org.assertj.core.data.Offset.offset(by);
  }

  /** Behind the last number there is none: neither a line nor a value of the average. */
  @Test
  void nothingFollowsNaN() throws IOException {
    try (TensorBoard run = WrittenRuns.run(folder, "nan", 100, "learns")) {
      for (int i = 101; i <= 150; i++) {
        run.scalars(i, Map.of("Loss/train", Double.NaN));
      }
      for (int i = 151; i <= 160; i++) {
        run.scalars(i, Map.of("Loss/train", 1.5));
      }
    }
    openBoard();
    screen(1440, 1000, false);
    loadCharts("");
    for (Point p : points("Loss")) {
      boolean broken = p.tag().equals("Loss/train") && p.step() > 100 && p.step() <= 150;
      assertThat(p.value().isEmpty()).as("at step %d", p.step()).isEqualTo(broken);
    }
    noErrors();
  }

  /** A dash says what was measured, in every run and whatever else is shown; colours stay. */
  @Test
  void dashesAndColoursStay() throws Exception {
    WrittenRuns.session(folder, "m", 1_700_000_000, 1, 20);
    openBoard();
    screen(1440, 1000, false);
    loadCharts("");
    Map<String, List<String>> before = legend();
    assertThat(before.get("m (training)").get(1)).isEmpty();
    assertThat(before.get("m (validation)").get(1)).isEqualTo("7 4");
    WrittenRuns.session(folder, "a", 1_700_000_100, 1, 20); // comes later, stands first
    until("another", () -> all("#list li").size() == 2);
    until("drawn", () -> js("document.querySelector('.plot').dataset.curves").equals("4"));
    Map<String, List<String>> after = legend();
    assertThat(after).containsAllEntriesOf(before);
    assertThat(after.get("a (validation)").get(1)).isEqualTo("7 4");
    assertThat(after.get("a (training)").get(0)).isNotEqualTo(after.get("m (training)").get(0));
    noErrors();
  }

  /** Colour and dash of each name below the chart. */
  private Map<String, List<String>> legend() throws Exception {
    Document svg = xml(saved("Loss", "SVG"));
    Map<String, Element> paths = new TreeMap<>();
    for (Element path : elements(svg, "path")) {
      paths.put(path.getAttribute("d").replaceAll("M\\S+ (\\S+?)L.*", "$1"), path);
    }
    Map<String, List<String>> legend = new TreeMap<>();
    for (Element text : elements(svg, "text")) {
      Element path = paths.get(text.getAttribute("y"));
      if (path != null && text.getTextContent().endsWith(")")) {
        legend.put(
            text.getTextContent(),
            List.of(path.getAttribute("stroke"), path.getAttribute("stroke-dasharray")));
      }
    }
    return legend;
  }

  /** The page's own reckoning, asked module by module. */
  @Test
  void choosesHeightsTicksAndNeighbours() throws IOException {
    WrittenRuns.run(folder, "learns", 30, "learns").close();
    openBoard();
    screen(1440, 1000, false);
    load("");
    Object start =
        module(
            "charts/ticks.js",
            "const x = [...Array(500).keys()]; const y = x.map((i) => 2 + 10 * Math.exp(-i / 10)"
                + " + (i === 300 ? 4000 : 0)); const s = { from: 0, to: 500, x, y, low: y, high: y"
                + " }; return m.heights([s], false, true);");
    assertThat(number(start, 1)).as("the curve's beginning is seen").isBetween(12.0, 30.0);
    assertThat(number(start, 0)).isBetween(0.0, 2.0);
    assertThat(module("charts/ticks.js", "return m.ticks(0.0003, 40, 6, true);"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
        .contains(0.001, 0.01, 0.1, 1L, 10L);
    for (String range : List.of("266, 327", "0, 1", "0.1381, 0.1382", "-5, 5", "1, 1000000")) {
      Object ticks = module("charts/ticks.js", "return m.ticks(" + range + ", 3.9, false);");
      assertThat((List<?>) ticks).as(range).hasSizeBetween(3, 7);
    }
    Object nearest =
        module(
            "charts/read.js",
            "const at = { x: (v) => v, y: (v) => v }; at.x.back = (p) => p;"
                + "const series = [...Array(100).keys()].map((k) => ({ from: 0, to: 3,"
                + " x: [0, 50, 100], y: [10 * k, 10 * k, 10 * k] }));"
                + "return m.nearest({ series }, at, 50, 733).slice(0, 8)"
                + ".map((f) => series.indexOf(f.s));");
    assertThat(nearest).hasToString("[73, 74, 72, 75, 71, 76, 70, 77]");
    noErrors();
  }

  private static double number(Object list, int i) {
    return ((Number) ((List<?>) list).get(i)).doubleValue();
  }

  private static Object module(String name, String body) {
    return browser.executeAsyncScript(
        "const done = arguments[0]; import('./"
            + name
            + "').then((m) => done((() => {"
            + body
            + "})()));");
  }

  /** What a pointer rests on is named first, of a hundred runs, and stands out. */
  @Test
  void namesTheNearestOfAHundred() throws IOException {
    for (int i = 0; i < 100; i++) {
      try (TensorBoard run = new TensorBoard(folder.resolve("r" + i + "/logs"), 1)) {
        run.scalars(1, Map.of("Loss/train", 1.0 + i));
        run.scalars(100, Map.of("Loss/train", 1.0 + i));
      }
    }
    openBoard();
    screen(1440, 1000, true);
    load("");
    until("a hundred", () -> js("document.querySelector('.plot').dataset.curves").equals("100"));
    WebElement plot = browser.findElement(By.cssSelector(".plot"));
    double low = ((Number) js("Number(document.querySelector('.plot').dataset.low)")).doubleValue();
    double high =
        ((Number) js("Number(document.querySelector('.plot').dataset.high)")).doubleValue();
    int height = plot.getSize().getHeight();
    double y = 20 + (height - 54) * (1 - (74 - low) / (high - low)); // the run of 1 + 73
    new Actions(browser).moveToElement(plot, -200, (int) Math.round(y - height / 2.0)).perform();
    until("a tip", () -> !all(".tip-line.first").isEmpty());
    assertThat(all(".tip-line.first").get(0).getText()).contains("r73");
    assertThat(all(".tip").get(0).getText()).contains("and 92 further away");
    picture("hundred-dark");
    noErrors();
  }
}
