package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.loranative.image.Picture;
import org.loranative.track.LayerLog;
import org.loranative.track.TensorBoard;
import org.loranative.web.LocalServer;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/**
 * The page as a person meets it, in headless Chromium; passed over where that is not installed.
 * Leaves pictures in target/board.
 */
class PageTest extends InBrowser {
  private static final List<String> PARTS =
      List.of(
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "mlp.gate_proj",
          "mlp.up_proj",
          "mlp.down_proj");

  @Test
  void showsRunsTheirFindingsAndDifferences() throws IOException {
    WrittenRuns.run(folder, "learns", 400, "learns").close();
    WrittenRuns.run(folder, "overfits", 400, "overfits").close();
    WrittenRuns.run(folder, "diverges", 400, "diverges").close();
    openBoard();
    screen(1440, 1000, false);
    loadCharts("");
    until("the doctor has spoken", () -> !all("#findings summary b").isEmpty());
    assertThat((Double) js("document.querySelector('.plot').getBoundingClientRect().bottom * 1.0"))
        .as("findings leave the chart in sight")
        .isLessThan(600);
    browser.findElement(By.cssSelector("#findings summary")).click();
    assertThat(browser.findElement(By.id("findings")).getText())
        .contains("diverges: divergence")
        .contains("overfits: overfitting");
    browser.findElement(By.cssSelector("#findings summary")).click();
    assertThat(all("#grid h3").get(0).getText()).as("first comes").isEqualTo("Loss");
    picture("three-runs");
    fits();

    // Keys zoom and read; 0 shows everything again.
    WebElement plot = browser.findElement(By.cssSelector(".plot"));
    double[] whole = range();
    new Actions(browser).sendKeys(plot, "+").perform();
    until("zoomed in", () -> range()[1] < whole[1]);
    new Actions(browser).sendKeys(plot, Keys.ARROW_LEFT).perform();
    until(
        "a value is read aloud",
        () -> ((String) js("document.querySelector('.unseen').textContent")).contains("step"));
    new Actions(browser).sendKeys(plot, "0").perform();
    until("whole again", () -> range()[1] == whole[1]);

    // So does dragging, in all charts, and the address keeps it.
    new Actions(browser)
        .moveToElement(plot, -100, 0)
        .clickAndHold()
        .moveByOffset(150, 0)
        .release()
        .perform();
    until("zoomed by dragging", () -> range()[1] < whole[1] && range()[0] > whole[0]);
    double[] zoomed = range();
    browser.navigate().refresh();
    until("drawn again", () -> all(".plot[data-curves]").size() >= 3);
    until("as before", () -> Math.abs(range()[0] - zoomed[0]) < 1e-3);
    browser.findElement(By.id("reset")).click();

    // A run less, which the address keeps too.
    all("#list input").get(0).click();
    until("fewer curves", () -> js("document.querySelector('.plot').dataset.curves").equals("4"));
    browser.navigate().refresh();
    until("the list", () -> all("#list li").size() == 3);
    assertThat(all("#list input").get(0).isSelected()).isFalse();
    all("#list input").get(0).click();

    view("runs");
    until("the table", () -> all("#runs tbody tr").size() == 3);
    assertThat(browser.findElement(By.id("runs")).getText()).contains("lora_rank").contains("64");
    until("parallel coordinates", () -> !all("#parallel canvas").isEmpty());
    for (int i = 0; i < 2; i++) {
      browser.findElement(By.cssSelector("[data-focus='sort lora_rank']")).click();
    }
    until("sorted", () -> all("#runs td.run").get(0).getText().contains("overfits"));
    assertThat(all("[aria-current=true]")).as("one view is chosen").hasSize(1);
    picture("runs");
    browser.findElement(By.cssSelector("[data-focus='run learns']")).click();
    until("details", () -> !all("dialog textarea").isEmpty());
    all("dialog textarea").get(0).sendKeys("the good one" + Keys.TAB);
    until("kept", () -> Files.exists(folder.resolve("learns/board.json")));
    all("dialog .box-head button").get(0).click();
    until("the note", () -> browser.findElement(By.id("runs")).getText().contains("the good one"));
    view("texts");
    until("texts", () -> browser.findElement(By.id("texts")).getText().contains(":octopus:"));
    view("images");
    until(
        "says what to do",
        () -> browser.findElement(By.id("images")).getText().contains("sample_steps"));
    view("start");
    until("a form of the catalogue", () -> all("#start .fields label").size() > 40);
    until(
        "says what is missing",
        () -> browser.findElement(By.id("start")).getText().contains("base_model is missing"));
    picture("start");
    noErrors();
  }

  @Test
  void growsWithALiveRunOnANarrowScreenInTheDark() throws IOException {
    try (TensorBoard live = WrittenRuns.run(folder, "live", 60, "learns")) {
      pause(300);
      openBoard();
      screen(390, 844, true);
      loadCharts("");
      double end = range()[1];
      String top = "document.querySelector('.plot').getBoundingClientRect().top * 1.0";
      Number y = (Number) js(top);
      browser.findElement(By.cssSelector("#list-box summary")).click();
      all("#list input").get(0).sendKeys("");
      js("document.querySelector('#list input').focus()");
      WrittenRuns.points(live, 61, 120, "learns");
      until("the curve goes on", () -> range()[1] > end);
      assertThat((Boolean) js("document.activeElement === document.querySelector('#list input')"))
          .as("the focus stays")
          .isTrue();
      browser.findElement(By.cssSelector("#list-box summary")).click();
      assertThat(((Number) js(top)).doubleValue())
          .as("no jump of the layout")
          .isEqualTo(y.doubleValue());
      assertThat(browser.findElement(By.id("reset")).isEnabled()).as("nobody zoomed").isFalse();
      assertThat((String) js("document.documentElement.dataset.theme")).isEqualTo("dark");
      fits();
      picture("narrow-dark");
      Picture picture = new Picture(2, 2, new float[12]);
      live.image(0, "samples/1: star", picture.png(), 2, 2);
      live.image(120, "samples/1: star", picture.png(), 2, 2);
      view("images");
      until("the pictures", () -> all("#images img").size() == 2);
      until(
          "is loaded",
          () -> (Boolean) js("document.querySelector('#images img').naturalWidth === 2"));
      all("#images .picture").get(1).click();
      until("large", () -> all("dialog .wipe img").size() == 2);
      noErrors();
    }
  }

  /** NaN ends a curve, losses of other kinds have their own chart, one value is a figure. */
  @Test
  void showsWhatIsThereAndNothingElse() throws IOException {
    try (TensorBoard nan = WrittenRuns.run(folder, "nan", 100, "learns")) {
      for (int i = 101; i <= 150; i++) {
        nan.scalars(i, Map.of("Loss/train", Double.NaN));
      }
      nan.scalars(150, Map.of("train/total_flos", 3e15));
    }
    try (TensorBoard images = new TensorBoard(folder.resolve("画像/شكل/logs"), 1)) {
      images.hyperparameters(Map.of("task_type", "sd"), List.of());
      for (int i = 1; i <= 50; i++) {
        images.scalars(i, Map.of("Loss/train", 0.1 + 0.01 * Math.sin(i)));
      }
    }
    openBoard();
    screen(1024, 800, true);
    load("");
    until("two kinds of loss", () -> all("#grid .card.wide").size() == 2);
    assertThat(all("#figures td").stream().map(WebElement::getText)).contains("train/total_flos");
    until("it is drawn", () -> js("document.querySelector('.plot').dataset.max").equals("150"));
    assertThat(
            (Boolean)
                js(
                    "[...document.querySelectorAll('.plot[data-low]')].every(p =>"
                        + " Number(p.dataset.low) >= 0)"))
        .as("no negative losses")
        .isTrue();
    fits();
    picture("nan-dark");
    noErrors();
  }

  /** Colours stand out from the page, and differ, for a hundred runs on both themes. */
  @Test
  void coloursCanBeTold() throws IOException {
    WrittenRuns.run(folder, "learns", 30, "learns").close();
    openBoard();
    screen(1440, 1000, false);
    load("");
    Object worst =
        browser.executeAsyncScript(
            "const done = arguments[0]; import('./app/colour.js').then(({nth, contrast}) => {"
                + "let worst = 99; const seen = new Set();"
                + "for (let i = 0; i < 100; i++) {"
                + " worst = Math.min(worst, contrast(nth(i, false), '#ffffff'),"
                + "  contrast(nth(i, true), '#1b212a')); seen.add(nth(i, false)); }"
                + "done([worst, seen.size]); })");
    assertThat(((Number) ((List<?>) worst).get(0)).doubleValue()).isGreaterThan(3);
    assertThat(((Number) ((List<?>) worst).get(1)).intValue()).isGreaterThan(95);
    noErrors();
  }

  /** Layers over steps: of 84 layers one runs away. */
  @Test
  void drawsAdaptedLayersAsAMap() throws IOException {
    WrittenRuns.run(folder, "learns", 400, "learns").close();
    try (LayerLog log = new LayerLog(folder.resolve("learns/logs"), 0)) {
      for (int step = 20; step <= 400; step += 20) {
        double so = step;
        log.write(
            new LayerLog.At(step, IntStream.range(0, 84).mapToObj(i -> layer(i, so)).toList()));
      }
    }
    Files.writeString(folder.resolve("learns/config.yaml"), "task_type: llm\n");
    openBoard();
    for (boolean narrow : new boolean[] {false, true}) {
      for (boolean dark : new boolean[] {false, true}) {
        screen(narrow ? 390 : 1440, narrow ? 844 : 1000, dark);
        load("#view=layers");
        until("the map", () -> all("#layers .heat canvas").size() == 1);
        fits();
        picture("layers-" + (narrow ? "narrow" : "wide") + (dark ? "-dark" : ""));
      }
    }
    browser.findElement(By.cssSelector("#layers option[value=grad_norm]")).click();
    until(
        "another number",
        () ->
            all("#layers .heat").stream()
                .anyMatch(e -> e.getAttribute("aria-label").startsWith("Gradient norm")));
    noErrors();
  }

  private static LayerLog.Layer layer(int i, double step) {
    float change = (float) (0.002 * (1 + i % 7) * Math.sqrt(step) * (i == 33 ? 12 : 1));
    String name = "model.layers." + i / 7 + "." + PARTS.get(i % 7);
    float gradNorm = (float) (0.1 / (1 + step / 100) * (1 + i % 3));
    return new LayerLog.Layer(
        name, 8, Map.of(), change, change, 2 + i % 6, 8, List.of(), gradNorm, 1e-3f);
  }

  /** As nginx has it with {@code location /loss/ { proxy_pass http://127.0.0.1:6006/; }}. */
  @Test
  void worksBelowAPathOfAProxy() throws IOException {
    WrittenRuns.run(folder, "learns", 100, "learns").close();
    board = new Board(List.of(folder), "127.0.0.1", 0, Optional.empty());
    HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    HttpHandler passesOn =
        exchange -> {
          try (exchange) {
            String rest = exchange.getRequestURI().toString().substring("/loss/".length());
            URI to = board.address().resolve("/" + rest);
            HttpResponse<java.io.InputStream> answer =
                client.send(passedOn(to, exchange), HttpResponse.BodyHandlers.ofInputStream());
            String type = answer.headers().firstValue("Content-Type").orElse("");
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(answer.statusCode(), 0);
            answer.body().transferTo(exchange.getResponseBody());
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    try (LocalServer proxy = new LocalServer("proxy", "127.0.0.1", 0, Optional.empty(), passesOn)) {
      proxy.start();
      screen(1440, 1000, false);
      browser.get(proxy.address() + "loss/");
      until("charts are drawn below a path", () -> all(".plot[data-curves]").size() >= 3);
      assertThat(all("#list li")).hasSize(1);
    }
  }

  private static HttpRequest passedOn(URI to, HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(to)
            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
    for (String name : List.of("X-Lora-Native", "Content-Type", "Sec-Fetch-Site")) {
      String value = exchange.getRequestHeaders().getFirst(name);
      if (value != null) {
        request.header(name, value);
      }
    }
    return request.build();
  }
}
