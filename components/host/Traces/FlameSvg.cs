using System.Globalization;
using System.Text;
using System.Xml;

namespace Plexus.Host.Traces;

/// <summary>Draws a flame graph as an SVG that a browser shows by itself: no script, a title for each frame. The same graph is drawn the same.</summary>
internal static class FlameSvg
{
    private const string Namespace = "http://www.w3.org/2000/svg";
    private const double Width = 1200;
    private const double Margin = 10;
    private const int Row = 18;
    private const int Top = 44;
    private const double Narrowest = 0.1;
    private const double Letter = 6.6;

    /// <summary>Draws.</summary>
    /// <param name="root">The lowest frame, added up.</param>
    /// <param name="weight">What widths mean.</param>
    /// <param name="title">What it is of.</param>
    /// <param name="stream">Where to; stays open.</param>
    /// <exception cref="IOException">The stream failed.</exception>
    public static void Write(FlameNode root, FlameWeight weight, string title, Stream stream)
    {
        int height = Top + (root.Height * Row) + (int)Margin;
        using XmlWriter xml = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true, IndentChars = " ", NewLineChars = "\n", CloseOutput = false });
        xml.WriteStartDocument();
        xml.WriteStartElement("svg", Namespace);
        xml.WriteAttributeString("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {Width + (2 * Margin)} {height}"));
        xml.WriteAttributeString("width", Number(Width + (2 * Margin)));
        xml.WriteAttributeString("height", Number(height));
        xml.WriteAttributeString("font-family", "monospace");
        xml.WriteAttributeString("font-size", "11");
        Text(xml, Margin, 18, title);
        Text(xml, Margin, 34, weight == FlameWeight.Time ? "width: wall time; ring-3 handlers that ran between two entries to ring 0 share that time" : "width: number of transitions and of the Calls within them");
        double total = Of(root, weight);
        Frame(xml, root, weight, total, 0, height - (int)Margin - Row);
        xml.WriteEndElement();
        xml.WriteEndDocument();
    }

    private static double Of(FlameNode node, FlameWeight weight) => weight == FlameWeight.Time ? node.Time : node.Transitions + node.Calls;

    /// <param name="before">Weight to the left of the frame.</param>
    private static void Frame(XmlWriter xml, FlameNode node, FlameWeight weight, double total, double before, int y)
    {
        double width = total == 0 ? Width : Of(node, weight) / total * Width;
        if (width < Narrowest)
            return;
        double x = Margin + (total == 0 ? 0 : before / total * Width);
        string name = Clean(node.Name);
        xml.WriteStartElement("g", Namespace);
        xml.WriteElementString("title", Namespace, Describe(node, name, total == 0 ? 100 : width / Width * 100));
        xml.WriteStartElement("rect", Namespace);
        xml.WriteAttributeString("x", Number(x));
        xml.WriteAttributeString("y", Number(y));
        xml.WriteAttributeString("width", Number(width));
        xml.WriteAttributeString("height", Number(Row - 1));
        xml.WriteAttributeString("fill", Colour(name));
        xml.WriteEndElement();
        int letters = (int)((width - 4) / Letter);
        if (letters >= 3)
            Text(xml, x + 2, y + 12, name.Length <= letters ? name : $"{name.AsSpan(0, letters - 1)}…");
        xml.WriteEndElement();
        foreach (FlameNode child in node.Children)
        {
            Frame(xml, child, weight, total, before, y - Row);
            before += Of(child, weight);
        }
    }

    private static string Describe(FlameNode node, string name, double percent) => string.Create(
        CultureInfo.InvariantCulture, $"{name}: {percent:F2} %, {node.Transitions:N0} transitions, {node.Calls:N0} Calls, {node.Time / 1e6:N3} ms");

    private static void Text(XmlWriter xml, double x, double y, string text)
    {
        xml.WriteStartElement("text", Namespace);
        xml.WriteAttributeString("x", Number(x));
        xml.WriteAttributeString("y", Number(y));
        xml.WriteAttributeString("pointer-events", "none");
        xml.WriteString(Clean(text));
        xml.WriteEndElement();
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>What XML has no character for cannot be in it.</summary>
    private static string Clean(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '?'));

    /// <summary>A warm colour, the same for the same name wherever it stands (FNV-1a).</summary>
    private static string Colour(string name)
    {
        uint hash = 2166136261;
        foreach (char c in name)
            hash = (hash ^ c) * 16777619;
        return string.Create(CultureInfo.InvariantCulture, $"rgb({205 + (hash % 50)},{90 + ((hash >> 8) % 130)},{40 + ((hash >> 16) % 50)})");
    }
}
